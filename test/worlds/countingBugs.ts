import type { Epoch, RoomName, ServerId } from '../../machines/ports.js';
import type { Tally } from '../../machines/tally.js';
import { type Bug, change, type Held } from './bug.js';
import { rememberedBy } from './memory.js';

/** Mistakes with what is counted, and of whom. */
export const countingBugs: Readonly<Record<string, Bug>> = {
  'a snapshot is added to what was counted before': {
    breaks: '4: exact',
    spoil: ({ tally }) =>
      changeMerge(tally, (server, room, count) => count + tally.countOn(server, room)),
  },
  'deltas are counted whatever their epoch is': {
    breaks: '4: exact',
    spoil: ({ tally }) => {
      const record = tally.record.bind(tally);
      tally.record = (post) => record({ ...post, epoch: Number.MAX_SAFE_INTEGER as Epoch });
    },
  },
  'epochs begin anew with every deactivation': {
    breaks: '4: exact',
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
  'deltas beside a request are forgotten when it is answered': {
    breaks: '4: exact',
    spoil: forgetPending,
  },
  'an answer after its deadline is taken all the same': {
    breaks: 'one request at a time',
    takesLateAnswers: true,
    spoil: ({ tally }) => {
      tally.accepts = (server, epoch) => epoch > (tally.baseOf(server) ?? 0);
    },
  },
  'evidence in deltas is not looked at': {
    breaks: '4: exact',
    spoil: ({ tally }) => {
      tally.recordAll = (posts) => {
        for (const post of posts) tally.record(post);
        return new Map();
      };
    },
  },
  'what is posted under a start-up answer is counted': {
    breaks: '7: unbreakable',
    spoil: ({ tally }) => {
      const record = tally.record.bind(tally);
      tally.record = (post) => record({ ...post, fromStartup: false });
    },
  },
  'a post does not heal a deaf server': {
    breaks: '5: honest',
    spoil: ({ tally }) => {
      tally.takePosters = () => [];
    },
  },
  'a room that was below zero is believed when something lifts it': {
    breaks: '4: exact',
    spoil: ({ tally }) => {
      // At the end of a doubt, as it was once.
      const looks = new Map<ServerId, number>();
      tally.lookAtDips = (server) => {
        const times = tally.hasDip(server) ? (looks.get(server) ?? 0) + 1 : 0;
        looks.set(server, times);
        return { lasting: times === 16, isDue: times > 0 && times < 16 };
      };
    },
  },
  'servers are let go although they answer': {
    breaks: '6: self-healing',
    spoil: ({ roster }) => {
      roster.vanished = () => [...roster].filter(({ naming }) => naming === 'formerly');
    },
  },
  'an address that a crash left is a server for ever': {
    breaks: '5: honest',
    spoil: ({ roster }) => {
      const vanished = roster.vanished.bind(roster);
      roster.vanished = () => vanished().filter(({ naming }) => naming === 'formerly');
    },
  },
  'counts are kept when nobody looks': {
    breaks: '1: silent',
    spoil: ({ tally }) => {
      tally.clear = () => {};
    },
    pubSubServer: (machine) =>
      change(machine, ['states', 'standing', 'states', 'engaged', 'exit'], () => []),
  },
  'what a server posts is kept beside no request': {
    breaks: '7: bounded memory',
    spoil: ({ tally }) => {
      const record = tally.record.bind(tally);
      tally.record = (post) => {
        const finding = record(post);
        const { rooms } = rememberedBy(tally).get(post.server)?.pending ?? {};
        for (const { room, add } of post.deltas) rooms?.set(room, (rooms.get(room) ?? 0) + add);
        return finding;
      };
    },
  },
  'whoever is let go leaves an attempt behind': {
    breaks: '7: bounded memory',
    spoil: ({ tally }) => {
      const drop = tally.drop.bind(tally);
      tally.drop = (server) => {
        drop(server);
        tally.openAttempt(server);
      };
    },
  },
  'a server over its limit is not said to be so': {
    breaks: '4: exact',
    spoil: ({ tally }) => {
      Object.defineProperty(tally, 'overLimit', { value: new Set() });
    },
  },
  'a server once over its limit is so for ever': {
    breaks: '5: honest',
    spoil: ({ tally }) => {
      const over = new Set<ServerId>();
      const merge = tally.merge.bind(tally);
      const { overLimit } = tally;
      tally.merge = (server, epoch, snapshot) => {
        const isUnexplained = merge(server, epoch, snapshot);
        for (const each of overLimit) over.add(each);
        return isUnexplained;
      };
      Object.defineProperty(tally, 'overLimit', { value: over });
    },
  },
  'a post without a token counts for whoever is at its address': {
    breaks: '7: unbreakable',
    believes: ({ context }, address) => {
      const server = `${address}:8001` as ServerId;
      const epoch = context.tally.nextEpoch();
      return { kind: 'server', server, epoch, fromStartup: false };
    },
  },
};

function changeMerge(
  tally: Tally,
  count: (server: ServerId, room: RoomName, count: number) => number,
) {
  const merge = tally.merge.bind(tally);
  tally.merge = (server, epoch, snapshot) => {
    for (const [room, given] of snapshot) snapshot.set(room, count(server, room, given));
    return merge(server, epoch, snapshot);
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
    return merge(server, epoch, snapshot);
  };
}
