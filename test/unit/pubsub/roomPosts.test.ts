import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ServerId } from '../../../machines/ports.js';
import type { RoundAnswer } from '../../../server/pubsub/postedRoom.js';
import { RoomPosts } from '../../../server/pubsub/roomPosts.js';
import { HeapClock } from '../machines/heapClock.js';

const [one, two, old] = ['10.0.0.1:8001', '10.0.0.2:8001', '10.0.0.3:8001'] as [
  ServerId,
  ServerId,
  ServerId,
];
const requestTimeoutMs = 2000;

interface Sent {
  readonly server: ServerId;
  readonly rooms: readonly string[];
  readonly receiver: number;
  confirm: () => Promise<void>;
  fail: () => Promise<void>;
}

let clock: HeapClock;
/** Requests in the order in which they were sent. */
let sent: Sent[];
/** Requests that nobody has answered. */
let open: Sent[];
let failed: ServerId[];
let able: Set<ServerId>;
let posts: RoomPosts;

/** Lets everything run that waits for a promise. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  clock = new HeapClock();
  [sent, open, failed] = [[], [], []];
  able = new Set([one, two]);
  posts = new RoomPosts({
    send: (server, rooms, { receiver }) =>
      new Promise((resolve, reject) => {
        const answer = (end: () => void) => async () => {
          open = open.filter((each) => each !== request);
          end();
          await settle();
        };
        const request = {
          server,
          rooms: [...rooms],
          receiver,
          confirm: answer(resolve),
          fail: answer(() => reject(new Error('no answer'))),
        };
        sent.push(request);
        open.push(request);
      }),
    isAble: (server) => able.has(server),
    requestTimeoutMs,
    onFailed: (server) => failed.push(server),
    clock,
  });
});

/** A followed room, and what it is told. */
function follow(room: string) {
  const told: string[] = [];
  const posted = posts.follow(room, {
    onFollowed: () => told.push('followed'),
    onLost: () => told.push('lost'),
    onMissing: () => told.push('missing'),
    onUpdate: (update) => told.push(`update ${update.join()}`),
    onAwareness: (update) => told.push(`awareness ${update.join()}`),
    onDropped: () => told.push('dropped'),
  });
  return { posted, take: () => told.splice(0) };
}

/** The request that waits for an answer, the only one. */
function opened(): Sent {
  expect(open).toHaveLength(1);
  return open[0] as Sent;
}

/** A room on `one` that is followed. */
async function followed(room = 'a') {
  const followed = follow(room);
  followed.posted.note([one]);
  await opened().confirm();
  expect(followed.take()).toEqual(['followed']);
  return followed;
}

const round = (posted: ReturnType<typeof follow>['posted'], answers: [ServerId, RoundAnswer][]) => {
  posted.beginRound();
  posted.endRound(new Map(answers));
};

test('a room is followed when every server that holds it has confirmed', async () => {
  const { posted, take } = follow('a');
  posted.note([one, two]);
  expect(sent.map(({ server, rooms }) => [server, rooms])).toEqual([
    [one, ['a']],
    [two, ['a']],
  ]);
  await sent[0]?.confirm();
  expect(take()).toEqual([]);
  await sent[1]?.confirm();
  expect(take()).toEqual(['followed']);
});

test('no other server is told anything', async () => {
  await followed();
  posts.noteDeltas(two, [{ room: 'b', add: 1 }]);
  posts.noteSnapshot(two, new Map([['b', 3]]));
  expect(sent.every(({ server }) => server === one)).toBe(true);
});

test('a room without a server is missing, until one is seen to hold it', async () => {
  const { posted, take } = follow('a');
  posted.note([]);
  expect(take()).toEqual(['missing']);
  posts.noteDeltas(one, [{ room: 'a', add: -1 }]);
  expect(sent).toEqual([]);
  posts.noteDeltas(one, [{ room: 'a', add: 1 }]);
  await opened().confirm();
  expect(take()).toEqual(['followed']);
});

test('a room on a server that cannot post it is missing, and the others post it all the same', async () => {
  const { posted, take } = follow('a');
  posted.note([one, old]);
  expect(take()).toEqual(['missing']);
  await opened().confirm();
  expect([take(), sent.map(({ server }) => server)]).toEqual([[], [one]]);
});

test('a room is followed when the server that cannot post it does not hold it any more', async () => {
  const { posted, take } = follow('a');
  posted.note([one, old]);
  await opened().confirm();
  expect(take()).toEqual(['missing']);
  round(posted, [
    [one, 'holds'],
    [old, 'denies'],
  ]);
  expect(take()).toEqual(['followed']);
});

test('a server that learns to post is told what it holds', async () => {
  const { posted, take } = follow('a');
  posted.note([old]);
  expect(take()).toEqual(['missing']);
  able.add(old);
  posts.noteAgent(old, { hasRestarted: false });
  await opened().confirm();
  expect(take()).toEqual(['followed']);
});

test('a server that learns something else is not told its list again', async () => {
  const { take } = await followed();
  posts.noteAgent(one, { hasRestarted: false });
  expect([take(), open]).toEqual([[], []]);
});

test('a server that can no longer post is not told anything more', async () => {
  const { posted, take } = await followed();
  able.delete(one);
  posts.noteAgent(one, { hasRestarted: true });
  expect(take()).toEqual(['lost', 'missing']);
  clock.advance(120_000);
  posted.end();
  expect([sent.length, clock.pending]).toEqual([1, 0]);
});

test('a server that gets the room is told it, and its state has to be read again', async () => {
  const { take } = await followed();
  posts.noteDeltas(two, [{ room: 'a', add: 1 }]);
  expect([opened().server, opened().rooms]).toEqual([two, ['a']]);
  expect(take()).toEqual([]);
  await opened().confirm();
  expect(take()).toEqual(['followed']);
});

test('a snapshot shows a server that holds the room', async () => {
  const { take } = await followed();
  posts.noteSnapshot(two, new Map([['a', 0]]));
  expect(open).toEqual([]);
  posts.noteSnapshot(two, new Map([['a', 1]]));
  await opened().confirm();
  expect(take()).toEqual(['followed']);
});

describe('one request at a time', () => {
  test('what changes meanwhile is sent after the answer, in one list', async () => {
    const rooms = ['a', 'b', 'c'].map(follow);
    for (const { posted } of rooms) posted.note([one]);
    expect(opened().rooms).toEqual(['a']);
    await opened().confirm();
    expect(rooms.map(({ take }) => take())).toEqual([['followed'], [], []]);
    expect(opened().rooms).toEqual(['a', 'b', 'c']);
    await opened().confirm();
    expect(rooms.map(({ take }) => take())).toEqual([[], ['followed'], ['followed']]);
    expect(open).toEqual([]);
  });

  test('a room that ended meanwhile is taken off the list', async () => {
    const [first, second] = [follow('a'), follow('b')];
    first.posted.note([one]);
    second.posted.note([one]);
    first.posted.end();
    await opened().confirm();
    expect(opened().rooms).toEqual(['b']);
    await opened().confirm();
    expect([first.take(), second.take()]).toEqual([[], ['followed']]);
  });
});

test('a list is renewed every 30 s, which tells nobody anything', async () => {
  const { take } = await followed();
  for (let renewals = 1; renewals < 4; renewals += 1) {
    clock.advance(29_999);
    expect(sent).toHaveLength(renewals);
    clock.advance(1);
    expect(opened().rooms).toEqual(['a']);
    await opened().confirm();
  }
  expect(take()).toEqual([]);
});

describe('a server that fails', () => {
  test('loses its rooms at once, and is asked again until it confirms', async () => {
    const { posted, take } = follow('a');
    posted.note([one]);
    const pauses: number[] = [];
    for (let failures = 0; failures < 7; failures += 1) {
      await opened().fail();
      const beganMs = clock.nowMs;
      while (open.length === 0) clock.advance(50);
      pauses.push(clock.nowMs - beganMs);
    }
    expect(pauses).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
    expect([take(), failed]).toEqual([['lost'], [one]]);
    await opened().confirm();
    expect(take()).toEqual(['followed']);
  });

  test('is told once more after the time in which an earlier request may be applied', async () => {
    const { posted } = follow('a');
    posted.note([one]);
    await opened().fail();
    clock.advance(250);
    await opened().confirm();
    clock.advance(requestTimeoutMs);
    await opened().confirm();
    clock.advance(29_999);
    expect(open).toEqual([]);
    clock.advance(1);
    expect(open).toHaveLength(1);
  });

  test('when its list is renewed loses its rooms', async () => {
    const { take } = await followed();
    clock.advance(30_000);
    await opened().fail();
    expect(take()).toEqual(['lost']);
  });

  test('is not asked sooner because more is wanted of it', async () => {
    const first = follow('a');
    first.posted.note([one]);
    await opened().fail();
    const second = follow('b');
    second.posted.note([one]);
    expect([second.take(), open]).toEqual([['lost'], []]);
    round(first.posted, [[one, 'failed']]);
    expect(open).toEqual([]);
    clock.advance(250);
    expect(opened().rooms).toEqual(['a', 'b']);
  });

  test('does not keep a room from being followed on another one for longer than it is named', async () => {
    const { posted, take } = await followed();
    posted.note([two]);
    await opened().fail();
    expect(take()).toEqual(['lost']);
    round(posted, [
      [one, 'holds'],
      [two, 'failed'],
    ]);
    expect(take()).toEqual([]);
    round(posted, [[one, 'holds']]);
    expect(take()).toEqual(['followed']);
  });
});

describe('a server that restarts', () => {
  test('is told its list again, and its state has to be read again', async () => {
    const { take } = await followed();
    posts.noteAgent(one, { hasRestarted: true });
    expect(opened().rooms).toEqual(['a']);
    expect(take()).toEqual([]);
    await opened().confirm();
    expect(take()).toEqual(['followed']);
  });

  test('while it is told is told once more', async () => {
    const { posted, take } = follow('a');
    posted.note([one]);
    posts.noteAgent(one, { hasRestarted: true });
    await opened().confirm();
    expect(take()).toEqual([]);
    await opened().confirm();
    expect(take()).toEqual(['followed']);
  });
});

describe('rounds', () => {
  test('find servers that hold the room', async () => {
    const { posted, take } = follow('a');
    posted.note([]);
    round(posted, [
      [one, 'holds'],
      [two, 'denies'],
      [old, 'failed'],
    ]);
    expect([opened().server, take()]).toEqual([one, ['missing']]);
    await opened().confirm();
    expect(take()).toEqual(['followed']);
    expect(posted.takeJustFollowed()).toEqual([one]);
    expect(posted.takeJustFollowed()).toEqual([]);
  });

  test('forget servers that do not hold the room any longer', async () => {
    const { posted, take } = await followed();
    round(posted, [[one, 'denies']]);
    expect([take(), opened().rooms]).toEqual([['lost', 'missing'], []]);
  });

  test('do not forget a server that got the room after the round began', async () => {
    const { posted, take } = await followed();
    posted.beginRound();
    posts.noteDeltas(one, [{ room: 'a', add: 1 }]);
    posted.endRound(new Map([[one, 'denies']]));
    expect([take(), open]).toEqual([[], []]);
    round(posted, [[one, 'denies']]);
    expect(take()).toEqual(['lost', 'missing']);
  });

  test('that a server does not answer make it confirm its list', async () => {
    const { posted, take } = await followed();
    round(posted, [[one, 'failed']]);
    expect(take()).toEqual([]);
    await opened().fail();
    expect(take()).toEqual(['lost']);
  });

  test('of a room with more servers than are asked follow those that are', () => {
    const { posted } = follow('a');
    const many = Array.from({ length: 100 }, (_, i) => `10.1.0.${i}:8001` as ServerId);
    for (const server of many) able.add(server);
    posted.note(many);
    expect(sent).toHaveLength(64);
  });
});

test('a round in which a server fails that cannot post does no harm', () => {
  const { posted, take } = follow('a');
  posted.note([old]);
  round(posted, [[old, 'failed']]);
  expect([take(), open]).toEqual([['missing'], []]);
});

test('a server that holds the room, but cannot give a state that can be read, is still followed', async () => {
  const { posted, take } = await followed();
  round(posted, [[one, 'unreadable']]);
  expect([take(), open]).toEqual([[], []]);
});

test('a server that fails in a round is asked once, even if it is being asked already', async () => {
  const { posted } = await followed();
  clock.advance(30_000);
  round(posted, [[one, 'failed']]);
  await opened().confirm();
  expect(open).toEqual([]);
});

describe('a second follower of a room', () => {
  test('is told nothing of a room that nothing is known of yet', () => {
    follow('a');
    const { posted, take } = follow('a');
    expect([take(), posted.takeJustFollowed()]).toEqual([[], []]);
  });

  test('is not told that the room is followed while one of its servers has not confirmed', async () => {
    const first = await followed();
    posts.noteDeltas(two, [{ room: 'a', add: 1 }]);
    const second = follow('a');
    expect(second.take()).toEqual([]);
    while (open.length > 0) await open[0]?.confirm();
    expect([first.take(), second.take()]).toEqual([['followed'], ['followed']]);
  });

  test('knows the servers to ask', async () => {
    await followed();
    const { posted } = follow('a');
    expect([posted.takeJustFollowed(), posted.takeJustFollowed()]).toEqual([[one], []]);
  });

  test('may follow a room on a server that cannot post it', () => {
    follow('a').posted.note([old]);
    expect(follow('a').take()).toEqual(['missing']);
  });

  test('does not hear of servers from one that has left', async () => {
    const first = await followed();
    follow('a');
    await opened().confirm();
    first.posted.end();
    first.posted.note([two]);
    round(first.posted, [[two, 'holds']]);
    expect(open).toEqual([]);
  });

  test('is told how it stands, and has its servers post the whole awareness', async () => {
    const first = await followed();
    const second = follow('a');
    expect(second.take()).toEqual(['followed']);
    expect([opened().rooms, opened().receiver]).toEqual([['a'], 1]);
    await opened().confirm();
    expect([first.take(), second.take()]).toEqual([[], []]);
    posts.take(one, [{ room: 'a', awareness: 'Aw==' }]);
    expect([first.take(), second.take()]).toEqual([['awareness 3'], ['awareness 3']]);
  });

  test('is told at once that a server does not answer', async () => {
    follow('a').posted.note([one]);
    await opened().fail();
    expect(follow('a').take()).toEqual(['lost']);
  });

  test('keeps the room posted when the first one leaves', async () => {
    const first = await followed();
    const second = follow('a');
    await opened().confirm();
    first.posted.end();
    expect(open).toEqual([]);
    second.posted.end();
    expect(opened().rooms).toEqual([]);
  });
});

test('after all rooms were ended, the end of an old follower leaves a new one of the same room alone', async () => {
  const { posted } = await followed();
  posts.silence();
  await opened().confirm();
  const { take } = await followed();
  posted.end();
  posts.take(one, [{ room: 'a', update: 'AQI=' }]);
  expect(take()).toEqual(['update 1,2']);
});

describe('when nobody watches a room any more', () => {
  test('its servers are told, and then left alone', async () => {
    const { posted } = await followed();
    posted.end();
    expect(opened().rooms).toEqual([]);
    await opened().confirm();
    clock.advance(120_000);
    expect([open, clock.pending]).toEqual([[], 0]);
  });

  test('a server that does not answer is told three times', async () => {
    const { posted } = await followed();
    posted.end();
    for (let farewells = 0; farewells < 3; farewells += 1) {
      await opened().fail();
      clock.advance(5000);
    }
    expect([open, clock.pending]).toEqual([[], 0]);
  });

  test('and somebody does again, it is asked for anew', async () => {
    const { posted } = await followed();
    posted.end();
    await opened().confirm();
    posted.note([one]);
    expect(open).toEqual([]);
    await followed();
  });
});

describe('what servers post', () => {
  const update = { room: 'a', update: 'AQI=' };

  test('reaches the room', async () => {
    const { take } = await followed();
    posts.take(one, [update, { room: 'a', awareness: 'Aw==' }, { room: 'a', lost: true }]);
    expect(take()).toEqual(['update 1,2', 'awareness 3', 'dropped']);
  });

  test('is ignored about rooms that the server was not asked for', async () => {
    const { posted, take } = await followed();
    posts.take(two, [update, { room: 'a', lost: true }]);
    posts.take(one, [{ ...update, room: 'b' }]);
    posted.end();
    posts.take(one, [update]);
    expect(take()).toEqual([]);
  });

  test('as lost causes one new round, however often it is said', async () => {
    const { take } = await followed();
    posts.take(one, Array(1000).fill({ room: 'a', lost: true }));
    expect(take()).toEqual(['dropped']);
  });

  test('counts as lost if it cannot be read', async () => {
    const { take } = await followed();
    posts.noteRefusedPost(two);
    expect(take()).toEqual([]);
    posts.noteRefusedPost(one);
    expect(take()).toEqual(['dropped']);
  });
});

test('a list takes at most 1,000 rooms, and about 1 MB of names', () => {
  const rooms = Array.from({ length: 1001 }, (_, i) => follow(`room ${i}`));
  for (const { posted } of rooms) posted.note([one]);
  expect(rooms.filter(({ take }) => take().includes('missing'))).toHaveLength(1);
  const long = Array.from({ length: 100 }, (_, i) => follow(`${i}`.padEnd(16_000, 'é')));
  for (const { posted } of long) posted.note([two]);
  expect(long.filter(({ take }) => take().includes('missing'))).toHaveLength(100 - 31);
});

test('rooms that nobody watches any more make place in a list', async () => {
  const many = (first: number) =>
    Array.from({ length: 31 }, (_, i) => follow(`${first + i}`.padEnd(16_000, 'é')));
  const before = many(0);
  for (const { posted } of before) posted.note([one]);
  for (const { posted } of before) posted.end();
  const after = many(100);
  for (const { posted } of after) posted.note([one]);
  expect(after.flatMap(({ take }) => take())).toEqual([]);
});

test('closed posts ignore answers that come afterwards', async () => {
  const { posted } = follow('a');
  posted.note([one]);
  posts.close();
  await opened().confirm();
  expect([clock.pending, failed]).toEqual([0, []]);
});

test('at a shutdown every server is told to stop', async () => {
  const { take } = await followed();
  posts.silence();
  expect(opened().rooms).toEqual([]);
  posts.take(one, [{ room: 'a', lost: true }]);
  expect(take()).toEqual([]);
  posts.close();
  clock.advance(120_000);
  expect([sent.length, clock.pending]).toEqual([2, 0]);
});

test('closed posts ask no server that is found to hold a room afterwards', () => {
  const { posted, take } = follow('a');
  posts.close();
  posted.note([one]);
  expect(sent).toEqual([]);
  expect(take()).toEqual([]);
});
