import type { ClusterStore } from '../../../server/cluster/clusterStore.js';
import { change } from '../bug.js';
import type { InstancesBug } from './instancesBug.js';
import { drawTermsLater } from './lateTerms.js';

/** The same store, to replace methods of. */
const through = (store: ClusterStore): ClusterStore => ({
  acquire: (ask, done) => store.acquire(ask, done),
  beat: (beat, done) => store.beat(beat, done),
  release: (lease, done) => store.release(lease, done),
  leave: (instance, done) => store.leave(instance, done),
  pushInbox: (entries, done) => store.pushInbox(entries, done),
  takeInbox: (ask, done) => store.takeInbox(ask, done),
  close: () => store.close(),
});

/** Each leader drops the entries that it finds in the inbox first, and when they are returned again. */
function dropFirst(store: ClusterStore): ClusterStore {
  const terms = new Set<number>();
  const dropped = new Set<string>();
  return {
    ...through(store),
    takeInbox: (ask, done) =>
      store.takeInbox(ask, (error, entries) => {
        const isFirst = !error && !terms.has(ask.term);
        if (!error) terms.add(ask.term);
        for (const entry of isFirst ? (entries ?? []) : []) dropped.add(entry);
        done(
          error,
          entries?.filter((entry) => !dropped.has(entry)),
        );
      }),
  };
}

const leadingInput = ['states', 'clustered', 'states', 'leading', 'invoke', 'input'];

/** Deliberate mistakes with several instances, by their effect. None is in the service. */
export const instancesBugs: Readonly<Record<string, InstancesBug>> = {
  'a term is drawn after the lock': {
    breaks: '1: one voice',
    store: (store, { redis }) => drawTermsLater(through(store), redis.terms),
  },
  'a lease expires by the wall clock': { breaks: '1: one voice', judgesByWallClock: true },
  'a relay resumes over a change of term': { breaks: '4: anywhere', resumesOverTerms: true },
  'complete is passed on as it was made': {
    breaks: '3: never wrong unsaid',
    passesCompleteOn: true,
  },
  'a takeover without viewers silences': {
    breaks: '5: rolling',
    instance: (machine) =>
      change(machine, leadingInput, (input) => (args: unknown) => ({
        ...(input as (args: unknown) => object)(args),
        begins: 'silencing',
      })),
  },
  'a takeover is not confirmed': {
    breaks: '3: ',
    pubSubServer: (machine) =>
      change(machine, ['states', 'confirmation', 'on', 'predecessor.failed'], () => ({
        actions: [],
      })),
  },
  'nobody looks at the lease between connection and body': {
    breaks: '1: one voice',
    doesNotCheckTwice: true,
  },
  'a new leader does not read the inbox': { breaks: '3: ', store: dropFirst },
  'an instance that stops drops what it leaves to the leader': {
    breaks: '3: ',
    dropsAtTheEnd: true,
  },
  'what was passed on is passed on again': { breaks: '4: anywhere', forwardsAgain: true },
};
