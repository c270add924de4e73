import { type AnyStateMachine, assign, StateMachine } from 'xstate';
import type { ActivationActor, activationMachine } from '../../machines/activationMachine.js';
import type { Epoch, RoomName, ServerId } from '../../machines/ports.js';
import type { pubSubServerMachine } from '../../machines/pubSubServerMachine.js';
import type { Tally } from '../../machines/tally.js';

type Root = typeof activationMachine;
type PubSubServer = typeof pubSubServerMachine;
type Held = ReturnType<ActivationActor['getSnapshot']>['context'];

/** A mistake that somebody could make, to see whether the worlds find it. */
export interface Bug {
  /** Changes the methods of what each run of the service holds by reference. */
  readonly spoil?: (held: Held) => void;
  readonly activation?: (machine: Root) => Root;
  readonly pubSubServer?: (machine: PubSubServer) => PubSubServer;
  /** Answers that come after their deadline are taken all the same. */
  readonly takesLateAnswers?: boolean;
}

/** Mistakes by what they do, none of them in the code of the service. */
export const bugs: Readonly<Record<string, Bug>> = {
  'a snapshot is added to what was counted before': {
    spoil: ({ tally }) =>
      changeMerge(tally, (server, room, count) => count + tally.countOn(server, room)),
  },
  'deltas are counted whatever their epoch is': {
    spoil: ({ tally }) => {
      const record = tally.record.bind(tally);
      tally.record = (post) => record({ ...post, epoch: Number.MAX_SAFE_INTEGER as Epoch });
    },
  },
  'epochs begin anew with every deactivation': {
    spoil: ({ tally }) => {
      const clear = tally.clear.bind(tally);
      let last = 0;
      tally.nextEpoch = () => {
        last += 1;
        return last as Epoch;
      };
      tally.clear = () => {
        last = 0;
        clear();
      };
    },
  },
  'deltas beside a request are forgotten when it is answered': { spoil: forgetPending },
  'an answer after its deadline is taken all the same': {
    takesLateAnswers: true,
    spoil: ({ tally }) => {
      tally.accepts = (server, epoch) => epoch > (tally.baseOf(server) ?? 0);
    },
  },
  'evidence in deltas is not looked at': {
    spoil: ({ tally }) => {
      tally.recordAll = (posts) => {
        for (const post of posts) tally.record(post);
        return new Map();
      };
    },
  },
  'servers are let go although they answer': {
    spoil: ({ roster }) => {
      roster.vanished = () => [...roster].filter(({ naming }) => naming === 'formerly');
    },
  },
  'counts are kept when nobody looks': {
    spoil: ({ tally }) => {
      tally.clear = () => {};
    },
  },
  'a start-up query clears the counts of whoever may have sent it': {
    activation: (machine) =>
      change(machine, ['on', 'startup.answered', 'actions'], (actions) => [
        ({ context, event }: { context: Held; event: { servers: ServerId[] } }) => {
          for (const server of event.servers) context.tally.drop(server);
        },
        ...(actions as unknown[]),
      ]),
  },
  'nobody is silenced at the start': {
    activation: (machine) => change(machine, ['initial'], () => 'inactive'),
  },
  'lingering is not cancelled by a viewer': {
    activation: (machine) =>
      change(
        machine,
        ['states', 'active', 'states', 'lingering', 'on', 'viewer.connected'],
        () => ({
          actions: 'addViewer',
        }),
      ),
  },
  'a second viewer has the servers told again': {
    activation: (machine) =>
      change(machine, ['states', 'active', 'states', 'watched', 'on', 'viewer.connected'], () => ({
        actions: ['addViewer', { type: 'broadcastWish', params: { wish: 'activity' } }],
      })),
  },
  'one viewer that leaves takes all with it': {
    activation: (machine) => machine.provide({ actions: { removeViewer: assign({ viewers: 0 }) } }),
  },
  'who posts unwished is let be': {
    activation: (machine) => machine.provide({ actions: { refuseDeltas: () => {} } }),
  },
  'a live server whose base was dropped is not asked again': {
    pubSubServer: (machine) =>
      change(
        machine,
        ['states', 'standing', 'states', 'engaged', 'on', 'activation.requested'],
        () => ({
          actions: [],
        }),
      ),
  },
  'there is no resync': {
    pubSubServer: (machine) => machine.provide({ delays: { resyncMs: 1e9 } }),
  },
  'a provisional snapshot is not confirmed': {
    pubSubServer: (machine) => machine.provide({ guards: { isSnapshotProvisional: () => false } }),
  },
  'counts of an unreachable server are kept': {
    pubSubServer: (machine) => machine.provide({ actions: { forgetCounts: () => {} } }),
  },
  'a failed request is not sent again': {
    pubSubServer: (machine) =>
      machine.provide({
        actions: { countFailure: assign({ failures: ({ context }) => context.failures + 1 }) },
      }),
  },
  'a new wish does not wait for the request under way': {
    pubSubServer: (machine) =>
      change(
        machine,
        ['states', 'request', 'states', 'silencing', 'on', 'activation.requested'],
        () => 'activating',
      ),
  },
};

/** The machine with one part of its chart changed. */
export function change<M extends AnyStateMachine>(
  machine: M,
  path: readonly string[],
  replace: (part: unknown) => unknown,
): M {
  const config = changed(machine.config, path, replace) as M['config'];
  return new StateMachine(config, machine.implementations) as unknown as M;
}

function changed(
  part: unknown,
  [key, ...rest]: readonly string[],
  replace: (part: unknown) => unknown,
): unknown {
  if (key === undefined) return replace(part);
  const parts = (part ?? {}) as Record<string, unknown>;
  return { ...parts, [key]: changed(parts[key], rest, replace) };
}

function changeMerge(
  tally: Tally,
  count: (server: ServerId, room: RoomName, count: number) => number,
) {
  const merge = tally.merge.bind(tally);
  tally.merge = (server, epoch, snapshot) => {
    for (const [room, given] of snapshot) snapshot.set(room, count(server, room, given));
    merge(server, epoch, snapshot);
  };
}

function forgetPending({ tally }: Held): void {
  const attempts = new Map<ServerId, Epoch>();
  const pending = new Map<string, number>();
  const openAttempt = tally.openAttempt.bind(tally);
  const record = tally.record.bind(tally);
  const merge = tally.merge.bind(tally);
  tally.openAttempt = (server) => {
    const attempt = openAttempt(server);
    attempts.set(server, attempt);
    pending.clear();
    return attempt;
  };
  tally.record = (post) => {
    const isBeside = post.epoch >= (attempts.get(post.server) ?? 0);
    for (const { room, add } of isBeside ? post.deltas : []) {
      const key = `${post.server} ${room}`;
      pending.set(key, (pending.get(key) ?? 0) + add);
    }
    return record(post);
  };
  tally.merge = (server, epoch, snapshot) => {
    for (const [key, sum] of pending) {
      const [of, room = ''] = key.split(' ');
      if (of === server) snapshot.set(room, (snapshot.get(room) ?? 0) - sum);
    }
    pending.clear();
    merge(server, epoch, snapshot);
  };
}
