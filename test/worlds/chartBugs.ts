import { assign, raise } from 'xstate';
import type { ServerId } from '../../machines/ports.js';
import { type Bug, change, type Held } from './bug.js';

const confirmation = ['states', 'confirmation', 'states'];

/** Mistakes in the charts of the machines, and in what the charts name. */
export const chartBugs: Readonly<Record<string, Bug>> = {
  'a start-up query clears the counts of whoever may have sent it': {
    breaks: '7: unbreakable',
    activation: (machine) =>
      change(machine, ['on', 'startup.answered', 'actions'], (actions) => [
        ({ context, event }: { context: Held; event: { servers: ServerId[] } }) => {
          for (const server of event.servers) context.tally.drop(server);
        },
        ...(actions as unknown[]),
      ]),
  },
  'nobody is silenced at the start': {
    breaks: '1: silent',
    activation: (machine) => change(machine, ['initial'], () => 'inactive'),
  },
  'lingering is not cancelled by a viewer': {
    breaks: '2: one broadcast',
    activation: (machine) => {
      const active = ['states', 'active'];
      const deaf = change(machine, [...active, 'states', 'lingering', 'always'], () => []);
      return change(deaf, [...active, 'onDone'], () => 'deactivating');
    },
  },
  'a second viewer has the servers told again': {
    breaks: '2: one broadcast',
    activation: (machine) =>
      change(machine, ['states', 'active', 'states', 'watched', 'on', 'viewer.connected'], () => ({
        actions: [
          'addViewer',
          ({ context }: { context: Held }) => context.roster.wish('activity'),
          raise({ type: 'batch.due' }),
        ],
      })),
  },
  'every viewer of updates has the servers told again': {
    breaks: '2: one broadcast',
    activation: (machine) =>
      change(machine, ['on', 'updates.watched', 'actions'], (actions) => [
        actions,
        ({ context }: { context: Held }) => {
          for (const { ref } of context.roster) ref.send({ type: 'updates.wished' });
        },
      ]),
  },
  'one viewer that leaves takes all with it': {
    breaks: '2: one broadcast',
    activation: (machine) => machine.provide({ actions: { removeViewer: assign({ viewers: 0 }) } }),
  },
  'who is silent is told so again and again': {
    breaks: '2: one broadcast',
    pubSubServer: (machine) =>
      change(machine, ['states', 'standing', 'states', 'silent', 'after'], () => ({
        5000: 'silencing',
      })),
  },
  'who posts unwished is let be': {
    breaks: '1: silent',
    activation: (machine) => machine.provide({ actions: { refuseDeltas: () => {} } }),
  },
  'a live server whose base was dropped is not asked again': {
    breaks: '5: honest',
    pubSubServer: (machine) =>
      change(
        machine,
        ['states', 'standing', 'states', 'engaged', 'on', 'activation.requested'],
        () => ({
          actions: [],
        }),
      ),
  },
  'a server whose posts never arrive is taken for live': {
    breaks: '5: honest',
    pubSubServer: (machine) => machine.provide({ guards: { isUnheard: () => false } }),
  },
  'every snapshot that differs makes a server deaf': {
    breaks: '5: honest',
    spoil: ({ tally }) => {
      const merge = tally.merge.bind(tally);
      tally.merge = (server, epoch, snapshot) => {
        const isFirst = tally.baseOf(server) === undefined;
        merge(server, epoch, snapshot);
        return !isFirst;
      };
    },
  },
  'there is no resync': {
    breaks: '4: exact',
    pubSubServer: (machine) => machine.provide({ delays: { resyncMs: 1e9 } }),
  },
  'a provisional snapshot is not confirmed': {
    breaks: '4: exact',
    pubSubServer: (machine) => change(machine, [...confirmation, 'needed', 'on'], () => ({})),
  },
  'counts of an unreachable server are kept': {
    breaks: '5: honest',
    pubSubServer: (machine) => machine.provide({ actions: { forgetCounts: () => {} } }),
  },
  'a failed request is not sent again': {
    breaks: '1: silent',
    pubSubServer: (machine) =>
      machine.provide({
        actions: { countFailure: assign({ failures: ({ context }) => context.failures + 1 }) },
      }),
  },
  'a new wish does not wait for the request under way': {
    breaks: 'one request at a time',
    pubSubServer: (machine) =>
      change(
        machine,
        [
          'states',
          'request',
          'states',
          'open',
          'states',
          'silencing',
          'on',
          'activation.requested',
        ],
        () => 'activating',
      ),
  },
  'every snapshot is taken for provisional': {
    breaks: '2: one broadcast',
    pubSubServer: (machine) =>
      change(machine, [...confirmation, 'unneeded', 'on', 'snapshot.merged'], () => 'planned'),
  },
  'resyncs come twice as often': {
    breaks: '2: one broadcast',
    pubSubServer: (machine) =>
      machine.provide({
        delays: { resyncMs: ({ context }) => context.timing.resyncIntervalMs / 2 },
      }),
  },
  'probes come ten times as often': {
    breaks: '2: one broadcast',
    pubSubServer: (machine) =>
      machine.provide({
        delays: { probeMs: ({ context }) => context.timing.probeIntervalMs / 10 },
      }),
  },
  'evidence that recurs is acted on at once': {
    breaks: '2: one broadcast',
    pubSubServer: (machine) => machine.provide({ delays: { correctionMs: 0 } }),
  },
  'recurring evidence is forgotten when it may be acted on': {
    breaks: '4: exact',
    pubSubServer: (machine) => machine.provide({ guards: { isEvidenceStanding: () => false } }),
  },
  'candidates are never displaced': {
    breaks: '7: bounded memory',
    activation: (machine) => machine.provide({ actions: { removeExcessCandidates: () => {} } }),
  },
};
