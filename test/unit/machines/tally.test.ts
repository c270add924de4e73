import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Epoch, ServerId } from '../../../machines/ports.js';
import { type Post, Tally } from '../../../machines/tally.js';

const one = '10.0.0.1:8001' as ServerId;
const two = '10.0.0.2:8001' as ServerId;
let tally: Tally;

beforeEach(() => {
  tally = new Tally();
});

type Change = Partial<Omit<Post, 'deltas'>> & { room?: string };
/** One delta, as a server posts it. */
const posted = (epoch: Epoch, add: number, { room = 'r', ...change }: Change = {}): Post => ({
  server: one,
  epoch,
  fromStartup: false,
  deltas: [{ room, add }],
  ...change,
});
const post = (epoch: Epoch, add: number, change?: Change) =>
  tally.record(posted(epoch, add, change));
const look = () => tally.lookAtDips(one);
const totals = () => Object.fromEntries(tally.totals);
const counts = (rooms: Record<string, number>) => new Map(Object.entries(rooms));

/** Takes a snapshot in one go. */
function activate(rooms: Record<string, number> = {}, server = one): Epoch {
  const epoch = tally.openAttempt(server);
  tally.merge(server, epoch, counts(rooms));
  return epoch;
}

describe('the tally', () => {
  test('counts a delta that comes before its snapshot, once the snapshot is there', () => {
    const epoch = tally.openAttempt(one);
    expect(post(epoch, 1)).toBe('ordinary');
    expect(totals()).toEqual({});
    tally.merge(one, epoch, counts({ r: 2 }));
    expect(totals()).toEqual({ r: 3 });
    expect(tally.overLimit.size).toBe(0);
  });

  test('counts a delta that comes before a later snapshot, too', () => {
    activate({ r: 1 });
    const epoch = tally.openAttempt(one);
    post(epoch, 1);
    tally.merge(one, epoch, counts({ r: 1 }));
    expect(totals()).toEqual({ r: 2 });
    expect(tally.baseOf(one)).toBe(epoch);
  });

  test('counts the rooms and connections of a server as they come and go', () => {
    const epoch = activate({ r: 1 });
    post(epoch, 2);
    post(epoch, 1, { room: 'other' });
    expect(tally.sizeOf(one)).toEqual({ rooms: 2, connections: 4 });
    post(epoch, -3);
    expect(tally.sizeOf(one)).toEqual({ rooms: 1, connections: 1 });
  });

  test('lists the rooms of one server, but none that is empty or below zero', () => {
    const epoch = activate({ a: 2, b: 1 });
    activate({ c: 5 }, two);
    post(epoch, -1, { room: 'b' });
    post(epoch, -1, { room: 'd' });
    expect(tally.roomsOn(one)).toEqual([['a', 2]]);
    expect(tally.roomsOn('10.0.0.9:8001' as ServerId)).toEqual([]);
  });

  test('counts a delta once that a newer snapshot contains', () => {
    const first = activate();
    const second = tally.openAttempt(one);
    post(first, 1);
    expect(totals()).toEqual({ r: 1 });
    tally.merge(one, second, counts({ r: 1 }));
    expect(totals()).toEqual({ r: 1 });
  });

  test('keeps deltas of a lost answer until an answer comes', () => {
    const lost = tally.openAttempt(one);
    post(lost, 1);
    const heard = tally.openAttempt(one);
    post(heard, 1);
    tally.merge(one, heard, counts({ r: 1 }));
    expect(totals()).toEqual({ r: 2 });
  });

  test('accepts the answer to the newest request only', () => {
    const late = tally.openAttempt(one);
    const newest = tally.openAttempt(one);
    expect(tally.accepts(one, late)).toBe(false);
    tally.merge(one, late, counts({ r: 9 }));
    expect(totals()).toEqual({});
    expect(tally.accepts(one, newest)).toBe(true);
  });

  test('accepts no answer to a request from before it was cleared', () => {
    const late = tally.openAttempt(one);
    tally.clear();
    expect(tally.accepts(one, late)).toBe(false);
    tally.merge(one, late, counts({ r: 9 }));
    expect(totals()).toEqual({});
  });

  test('notes no change of what it forgot when it was cleared: whoever shows it starts over', () => {
    activate({ r: 1 });
    tally.clear();
    expect(tally.takeChanged()).toEqual(new Set());
  });

  test('never uses an epoch twice, even if servers leave and return', () => {
    const epochs = [tally.openAttempt(one), tally.nextEpoch()];
    tally.drop(one);
    epochs.push(tally.openAttempt(one));
    tally.clear();
    epochs.push(tally.openAttempt(one), tally.openAttempt(two));
    expect(new Set(epochs).size).toBe(5);
    expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
  });

  test('counts nothing of an epoch below the snapshot', () => {
    const old = activate();
    activate({ r: 1 });
    expect(post(old, 1)).toBe('doubtful');
    expect(totals()).toEqual({ r: 1 });
  });

  test('counts deltas of an epoch above the snapshot: its own answer may be lost', () => {
    activate({ r: 1 });
    const unanswered = tally.openAttempt(one);
    post(unanswered, 1);
    expect(totals()).toEqual({ r: 2 });
  });

  test('ignores zeros in a snapshot, even of rooms that were shown before', () => {
    activate({ a: 2, b: 1 });
    activate({ a: 1 }, two);
    activate({ a: 0, b: 1, c: 0 });
    expect(totals()).toEqual({ a: 1, b: 1 });
    expect(tally.connections).toBe(2);
    expect(tally.sizeOf(one)).toEqual({ rooms: 1, connections: 1 });
    expect(tally.overLimit.size).toBe(0);
  });

  test('accepts any text as a room name', () => {
    const epoch = activate({ constructor: 1, '': 2 });
    post(epoch, 1, { room: '__proto__' });
    post(epoch, 1, { room: 'constructor' });
    expect([...tally.totals]).toEqual([
      ['constructor', 2],
      ['', 2],
      ['__proto__', 1],
    ]);
    expect(tally.countOn(one, '__proto__')).toBe(1);
    expect(tally.countOn(one, 'toString')).toBe(0);
  });

  test('adds up servers, and takes a dropped one out', () => {
    activate({ r: 2, only: 1 });
    activate({ r: 3 }, two);
    expect(totals()).toEqual({ r: 5, only: 1 });
    tally.takeChanged();
    tally.drop(one);
    expect(totals()).toEqual({ r: 3 });
    expect(tally.takeChanged()).toEqual(new Set(['r', 'only']));
    expect(tally.baseOf(one)).toBeUndefined();
    expect(tally.sizeOf(one)).toEqual({ rooms: 0, connections: 0 });
  });

  test('counts no delta of an unknown server', () => {
    expect(post(tally.nextEpoch(), 1)).toBe('ordinary');
    activate({}, two);
    expect(totals()).toEqual({});
  });

  test('has no counts of an unknown server', () => {
    tally.drop(one);
    expect([tally.baseOf(one), tally.hasDip(one), tally.countOn(one, 'r')]).toEqual([
      undefined,
      false,
      0,
    ]);
    expect(look()).toEqual({ lasting: false, isDue: false });
  });

  test('shows its sums in place of its maps', () => {
    activate({ a: 1, b: 2 });
    expect(JSON.parse(JSON.stringify(tally))).toEqual({ rooms: 2, connections: 3, epoch: 1 });
  });
});

describe('a room below zero', () => {
  test('is shown as none, is doubtful, and is explained by the late +1', () => {
    const epoch = activate();
    expect(post(epoch, -1)).toBe('doubtful');
    expect(tally.hasDip(one)).toBe(true);
    expect(totals()).toEqual({});
    expect(tally.sizeOf(one)).toEqual({ rooms: 0, connections: 0 });
    expect(post(epoch, 1)).toBe('ordinary');
    expect(tally.hasDip(one)).toBe(false);
    expect(totals()).toEqual({});
  });

  test('outlasts at the third look, and is told once', () => {
    const epoch = activate();
    post(epoch, -1);
    expect(look()).toEqual({ lasting: false, isDue: true });
    expect(look()).toEqual({ lasting: false, isDue: true });
    expect(look()).toEqual({ lasting: true, isDue: false });
    expect(look()).toEqual({ lasting: false, isDue: false });
    expect(tally.hasDip(one)).toBe(true);
  });

  test('that comes back is looked at anew when it falls again, and each room by itself', () => {
    const epoch = activate();
    post(epoch, -1);
    look();
    look();
    post(epoch, 1);
    post(epoch, -1, { room: 'other' });
    post(epoch, -1);
    expect([look(), look()].map(({ lasting }) => lasting)).toEqual([false, false]);
    post(epoch, 1);
    expect(look().lasting).toBe(true);
  });

  test('is not looked at from the beginning when it falls further', () => {
    const epoch = activate();
    post(epoch, -1);
    look();
    look();
    post(epoch, -1);
    expect(look().lasting).toBe(true);
  });

  test('changes no total', () => {
    post(activate(), -1);
    expect(tally.takeChanged().size).toBe(0);
  });

  test('takes nothing from what other servers count', () => {
    const epoch = activate();
    activate({ r: 2 }, two);
    post(epoch, -3);
    expect(totals()).toEqual({ r: 2 });
    post(epoch, 4);
    expect(totals()).toEqual({ r: 3 });
  });

  test('is doubtful also when the snapshot puts it there', () => {
    const epoch = tally.openAttempt(one);
    expect(post(epoch, -1)).toBe('ordinary');
    tally.merge(one, epoch, counts({ a: 1 }));
    expect(tally.hasDip(one)).toBe(true);
    expect(tally.sizeOf(one)).toEqual({ rooms: 1, connections: 1 });
  });

  test('is forgotten with the next snapshot', () => {
    post(activate(), -1);
    look();
    look();
    activate({ r: 1 });
    expect(tally.hasDip(one)).toBe(false);
    expect(look().lasting).toBe(false);
    expect(totals()).toEqual({ r: 1 });
  });
});

describe('what is posted under a start-up answer', () => {
  const startup = { fromStartup: true };

  test('counts nothing, whatever follows: the snapshot of a later epoch has it', () => {
    activate({ r: 2 });
    const answered = tally.nextEpoch();
    expect(post(answered, 1, startup)).toBe('doubtful');
    expect(totals()).toEqual({ r: 2 });
    activate({ r: 1 });
    expect(totals()).toEqual({ r: 1 });
    post(answered, 1, startup);
    expect(totals()).toEqual({ r: 1 });
  });

  test('is not put on top of the snapshot of a request that was under way', () => {
    activate({ r: 2 });
    const attempt = tally.openAttempt(one);
    post(tally.nextEpoch(), 1000, startup);
    tally.merge(one, attempt, counts({ r: 2 }));
    expect(totals()).toEqual({ r: 2 });
  });

  test('is not put on top of the first snapshot either', () => {
    const attempt = tally.openAttempt(one);
    expect(post(tally.nextEpoch(), 1000, startup)).toBe('ordinary');
    tally.merge(one, attempt, counts({ r: 2 }));
    expect(totals()).toEqual({ r: 2 });
  });

  test('leaves a snapshot due and its server doubtful until a snapshot of a later epoch', () => {
    activate({ r: 2 }, two);
    activate({ r: 2 });
    const attempt = tally.openAttempt(one);
    post(tally.nextEpoch(), 1, startup);
    const isOpen = () => [tally.snapshotDue.has(one), tally.isDoubtful(one)];
    expect(isOpen()).toEqual([true, true]);
    post(attempt, 1);
    tally.merge(one, attempt, counts({ r: 2 }));
    expect(isOpen()).toEqual([true, true]);
    activate({ r: 2 }, two);
    expect(isOpen()).toEqual([true, true]);
    activate({ r: 3 });
    expect(isOpen()).toEqual([false, false]);
    expect(tally.snapshotDue.size).toBe(0);
  });

  test('leaves a snapshot due when an older one arrives after it', () => {
    activate();
    const older = tally.nextEpoch();
    const attempt = tally.openAttempt(one);
    post(tally.nextEpoch(), 1, startup);
    post(older, 1, startup);
    tally.merge(one, attempt, counts({}));
    expect(tally.snapshotDue.has(one)).toBe(true);
  });

  test('is forgotten with the counts of its server', () => {
    activate();
    post(tally.nextEpoch(), 1, startup);
    tally.drop(one);
    expect(tally.snapshotDue.size).toBe(0);
    activate();
    post(tally.nextEpoch(), 1, startup);
    tally.clear();
    expect(tally.snapshotDue.size).toBe(0);
  });
});

describe('a server on an old URL', () => {
  test('is doubtful as long as its newest delta says so', () => {
    const old = activate();
    const base = activate();
    post(old, 1);
    expect(tally.isDoubtful(one)).toBe(true);
    post(base, 1);
    expect(tally.isDoubtful(one)).toBe(false);
    post(old, 1);
    activate();
    expect(tally.isDoubtful(one)).toBe(false);
  });

  test('is found at once when the URL came with a start-up answer', () => {
    const startup = tally.nextEpoch();
    activate();
    expect(post(startup, 1, { fromStartup: true })).toBe('superseded');
  });

  test('is set right by the next snapshot when an older call was applied after a newer one', () => {
    const overtaken = tally.openAttempt(one);
    const later = tally.nextEpoch();
    // The later one is applied first: this +1 is in the snapshot that follows.
    post(later, 1);
    tally.merge(one, overtaken, counts({ r: 1 }));
    expect(totals()).toEqual({ r: 2 });
    const next = tally.openAttempt(one);
    post(later, 1);
    tally.merge(one, next, counts({ r: 2 }));
    expect(totals()).toEqual({ r: 2 });
  });

  test('is the gravest finding of a batch', () => {
    const startup = tally.nextEpoch();
    const base = activate();
    const stale = posted(startup, 1, { fromStartup: true });
    const below = posted(base, -5);
    const otherBelow = posted(activate({}, two), -1, { server: two });
    const fine = posted(base, 1, { room: 'fine' });
    expect([...tally.recordAll([below, stale, below, fine, otherBelow])]).toEqual([
      [one, 'superseded'],
      [two, 'doubtful'],
    ]);
    expect(tally.recordAll([fine]).size).toBe(0);
  });

  test('is not doubtful when nothing is known of it', () => {
    expect(tally.isDoubtful(one)).toBe(false);
    tally.openAttempt(one);
    expect(tally.isDoubtful(one)).toBe(false);
  });
});

describe('what waits for a snapshot', () => {
  test('is gone once the snapshot is there', () => {
    const first = tally.openAttempt(one);
    post(first, 5);
    tally.merge(one, first, counts({ r: 1 }));
    const second = tally.openAttempt(one);
    tally.merge(one, second, counts({ r: 6 }));
    expect(totals()).toEqual({ r: 6 });
  });

  test('is not counted again with an answer that is repeated', () => {
    const epoch = tally.openAttempt(one);
    post(epoch, 5);
    tally.merge(one, epoch, counts({ r: 1 }));
    post(epoch, 1);
    tally.merge(one, epoch, counts({ r: 7 }));
    expect([totals(), tally.overLimit.size]).toEqual([{ r: 7 }, 0]);
  });

  test('is gone with the next attempt, the clearing and the drop', () => {
    for (const forget of [() => {}, () => tally.clear(), () => tally.drop(one)]) {
      post(tally.openAttempt(one), 5);
      forget();
      activate({ r: 5 });
      expect(totals()).toEqual({ r: 5 });
    }
  });
});

describe('beyond the limits of one server', () => {
  const isOver = () => tally.overLimit.has(one);
  beforeEach(() => {
    tally = new Tally({ maxRooms: 3, maxNamesLength: 5 });
  });

  test('a snapshot is counted up to the number of rooms', () => {
    activate({ a: 1, b: 2, none: 0, c: 4, d: 8 });
    expect(totals()).toEqual({ a: 1, b: 2, c: 4 });
    expect([isOver(), tally.sizeOf(one)]).toEqual([true, { rooms: 3, connections: 7 }]);
  });

  test('a snapshot is counted up to the length of all names', () => {
    activate({ aa: 1, bbb: 2 });
    expect([totals(), isOver()]).toEqual([{ aa: 1, bbb: 2 }, false]);
    activate({ aa: 1, bbbb: 2, ccc: 4 });
    expect([totals(), isOver()]).toEqual([{ aa: 1, ccc: 4 }, true]);
  });

  test('a new room is left out, while known ones are still counted', () => {
    const epoch = activate({ a: 1, b: 1 });
    for (const room of ['c', 'd', 'a']) post(epoch, 1, { room });
    expect(totals()).toEqual({ a: 2, b: 1, c: 1 });
    expect(isOver()).toBe(true);
  });

  test('a room whose name is too long is left out, however often others change', () => {
    const epoch = activate({ aa: 1 });
    post(epoch, 1, { room: 'aa' });
    post(epoch, 1, { room: 'bb' });
    post(epoch, 1, { room: 'bb' });
    post(epoch, 1, { room: 'cc' });
    expect([totals(), isOver()]).toEqual([{ aa: 2, bb: 2 }, true]);
  });

  test('names may be exactly as long as the limit', () => {
    const epoch = activate({ aa: 1 });
    post(epoch, 1, { room: 'bbb' });
    expect([totals(), isOver()]).toEqual([{ aa: 1, bbb: 1 }, false]);
  });

  test('a room that is empty makes place for another', () => {
    const epoch = activate({ aa: 1, bbb: 1 });
    post(epoch, -1, { room: 'bbb' });
    post(epoch, 1, { room: 'ccc' });
    expect([totals(), isOver()]).toEqual([{ aa: 1, ccc: 1 }, false]);
  });

  test('a room that was left out is counted again only from the next snapshot on', () => {
    const epoch = activate({ a: 1, b: 1, c: 1, d: 1 });
    post(epoch, -1, { room: 'a' });
    expect(post(epoch, -1, { room: 'd' })).toBe('ordinary');
    expect([totals(), isOver()]).toEqual([{ b: 1, c: 1 }, true]);
    activate({ b: 1, c: 1, d: 1 });
    expect([totals(), isOver()]).toEqual([{ b: 1, c: 1, d: 1 }, false]);
  });

  test('so is what arrives before the snapshot', () => {
    const epoch = tally.openAttempt(one);
    for (const room of ['a', 'b', 'c', 'd']) post(epoch, 1, { room });
    tally.merge(one, epoch, counts({ a: 1 }));
    expect([totals(), isOver()]).toEqual([{ a: 2, b: 1, c: 1 }, true]);
    for (const room of ['x', 'y', 'z', 'zz']) post(tally.openAttempt(one), 1, { room });
    activate({ a: 2 });
    expect([totals(), isOver()]).toEqual([{ a: 2 }, false]);
  });

  test('nothing is left out of what arrives after a snapshot that left something out', () => {
    const epoch = tally.openAttempt(one);
    for (const room of ['a', 'b', 'c', 'd']) post(epoch, 1, { room });
    tally.merge(one, epoch, counts({}));
    const next = tally.openAttempt(one);
    tally.merge(one, next, counts({ a: 1 }));
    expect(isOver()).toBe(false);
  });

  test('one server takes no place of another, and what is forgotten is no longer beyond', () => {
    for (const forget of [() => tally.drop(one), () => tally.clear()]) {
      activate({ aaaa: 1, bb: 1 });
      activate({ aaaa: 1, b: 1 }, two);
      expect([totals(), ...tally.overLimit]).toEqual([{ aaaa: 2, b: 1 }, one]);
      forget();
      expect(isOver()).toBe(false);
    }
  });
});

describe('a snapshot', () => {
  const merge = (rooms: Record<string, number>) =>
    tally.merge(one, tally.openAttempt(one), counts(rooms));

  test('differs if nothing was posted and rooms or numbers are others', () => {
    expect(merge({ a: 1 })).toBe(false);
    expect(merge({ a: 1 })).toBe(false);
    expect(merge({ a: 2 })).toBe(true);
    expect(merge({ a: 2, b: 1 })).toBe(true);
    expect(merge({ b: 1 })).toBe(true);
    expect(merge({ b: 1 })).toBe(false);
  });

  test('is no evidence if something was posted, even without deltas', () => {
    const epoch = activate({ a: 1 });
    const old = tally.nextEpoch();
    for (const fromStartup of [false, true])
      expect(tally.record({ server: one, epoch, fromStartup, deltas: [] })).toBe('ordinary');
    expect(merge({ a: 2 })).toBe(false);
    expect(tally.record({ server: one, epoch: old, fromStartup: true, deltas: [] })).toBe(
      'ordinary',
    );
    expect(merge({ a: 2 })).toBe(false);
    expect(merge({ a: 3 })).toBe(true);
  });

  test('is no evidence if rooms were left out of it or of the one before', () => {
    tally = new Tally({ maxRooms: 1, maxNamesLength: 9 });
    activate({ a: 1 });
    expect(merge({ a: 2, b: 1 })).toBe(false);
    expect(merge({ a: 3 })).toBe(false);
    expect(merge({ a: 4 })).toBe(true);
  });

  test('is nothing if it is not the newest attempt', () => {
    const old = tally.openAttempt(one);
    activate({ a: 1 });
    expect(tally.merge(one, old, counts({ a: 9 }))).toBe(false);
    expect(tally.merge(two, tally.nextEpoch(), counts({ a: 9 }))).toBe(false);
    expect(totals()).toEqual({ a: 1 });
  });
});

describe('whether a server has posted', () => {
  test('is known of the first post after each snapshot, and told once', () => {
    expect(tally.takePosters()).toEqual([]);
    const epoch = activate();
    expect(tally.hasPosted(one)).toBe(false);
    post(epoch, 1);
    post(epoch, 1);
    expect(tally.hasPosted(one)).toBe(true);
    expect([tally.takePosters(), tally.takePosters()]).toEqual([[one], []]);
    post(activate(), 1);
    expect(tally.takePosters()).toEqual([one]);
  });

  test('is known before the first snapshot, too', () => {
    const epoch = tally.openAttempt(one);
    expect(tally.hasPosted(one)).toBe(false);
    post(epoch, 1);
    expect(tally.takePosters()).toEqual([one]);
  });

  test('is nothing to wait for if the server is unknown, and is forgotten with all counts', () => {
    expect(tally.hasPosted(one)).toBe(true);
    post(activate(), 1);
    tally.clear();
    expect(tally.takePosters()).toEqual([]);
  });
});
