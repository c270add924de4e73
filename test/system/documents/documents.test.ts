import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as Y from 'yjs';
import type { DocumentClient } from '../../../server/documents/documentClient.js';
import { BadUpdate, DocumentError } from '../../../server/documents/documentErrors.js';
import type { Documents } from '../../../server/documents/documents.js';
import { RoomRefusals } from '../../../server/documents/roomRefusals.js';
import {
  docOf,
  edited,
  endless,
  openDocuments,
  ownDocuments,
  prepended,
} from '../../unit/documents/support.js';

ownDocuments();

const unhandled: unknown[] = [];
const note = (reason: unknown) => unhandled.push(reason);
beforeEach(() => {
  process.on('unhandledRejection', note);
});
afterEach(async () => {
  await turn();
  process.off('unhandledRejection', note);
  expect(unhandled.splice(0)).toEqual([]);
});

const jsonOf = async (room: DocumentClient): Promise<unknown> =>
  JSON.parse(new TextDecoder().decode((await room.toJson()).json));
const hello = () => edited((doc) => doc.getText('t').insert(0, 'hello'));
const refusal = (code: string) => expect.objectContaining({ name: 'DocumentError', code });
const lossesOf = () => {
  const codes: string[] = [];
  return { codes, onLost: (error: DocumentError) => codes.push(error.code) };
};

describe('documents in their thread', () => {
  test('merge states, apply updates and return the document', async () => {
    const { doc, state } = hello();
    const room = openDocuments().open('r');
    await expect(room.merge(new Uint8Array(state), 'a')).resolves.toMatchObject({ type: 'merged' });
    const updates: Promise<unknown>[] = [];
    doc.on('update', (update: Uint8Array) => updates.push(room.apply(update)));
    for (let i = 0; i < 600; i += 1) doc.getText('t').insert(i, `${i}`);
    const applied = await Promise.all(updates);
    expect(applied).toHaveLength(600);
    expect(applied[0]).toMatchObject({
      clients: [{ client: 1, from: 5, to: 6 }],
      types: ['t'],
      isChanged: true,
    });
    expect(await jsonOf(room)).toEqual({ t: { type: 'text', value: doc.getText('t').toString() } });
    expect(new Uint8Array(await room.encode())).toEqual(Y.encodeStateAsUpdate(doc));
    expect(new Uint8Array(await room.stateVector())).toEqual(Y.encodeStateVector(doc));
    await room.merge(Y.encodeStateAsUpdate(doc), 'b');
    expect(await room.divergence()).toMatchObject([{ server: 'a' }]);
    expect(await room.divergence(['b'])).toEqual([]);
    expect(room.backlogBytes).toBe(0);
  });

  test('move a state, copy an update, and leave other parts of a shared buffer alone', async () => {
    const { state, updates } = hello();
    const room = openDocuments().open('r');
    const pool = new Uint8Array([...state, 1, 2, 3]);
    await room.merge(pool.subarray(0, state.length), 'a');
    expect(pool.slice(state.length)).toEqual(Uint8Array.of(1, 2, 3));
    const own = new Uint8Array(state);
    await room.merge(own, 'b');
    expect(own.byteLength).toBe(0);
    const [update = state] = updates;
    await room.apply(update);
    expect(docOf(update).getText('t').toString()).toBe('hello');
  });

  test('survive a state that is passed twice', async () => {
    const state = new Uint8Array(hello().state);
    const room = openDocuments().open('r');
    const answers = await Promise.allSettled([room.merge(state, 'a'), room.merge(state, 'b')]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await expect(room.merge(state, 'c')).rejects.toThrow(BadUpdate);
    expect(await jsonOf(room)).toEqual({ t: { type: 'text', value: 'hello' } });
  });

  test('refuse garbage with BadUpdate and stay unchanged', async () => {
    const { state, updates } = hello();
    const room = openDocuments().open('r');
    const garbage = Uint8Array.of(1, 2, 3, 4);
    const truncated = (updates[0] ?? state).slice(0, -1);
    const answers = await Promise.allSettled([
      room.apply(garbage),
      room.apply(updates[0] ?? state),
      room.apply(truncated),
      room.merge(garbage, 'a'),
    ]);
    const refused = { status: 'rejected', reason: expect.any(BadUpdate) };
    expect(answers).toMatchObject([refused, { status: 'fulfilled' }, refused, refused]);
    expect(new Uint8Array(await room.encode())).toEqual(state);
  });

  test('are separate for two rooms with one name', async () => {
    const documents = openDocuments();
    const [one, other] = [documents.open('__proto__'), documents.open('__proto__')];
    await one.apply(hello().state);
    expect(await jsonOf(other)).toEqual({});
  });

  test('over their limit return the state unmerged', async () => {
    const state = prepended(5_000);
    const room = openDocuments({ maxRoomBytes: 10_000 }).open('r');
    const answer = await room.merge(new Uint8Array(state), 'a');
    expect(answer.type).toBe('tooLarge');
    expect(answer).toHaveProperty('state', state);
    await expect(room.toJson()).rejects.toEqual(refusal('too_large'));
    await expect(room.apply(hello().state)).resolves.toMatchObject({
      isApplied: false,
      inserted: 5,
    });
  });

  test('share a limit, and closing one frees its part', async () => {
    const documents = openDocuments({ maxTotalBytes: 50_000 });
    const state = () => prepended(5_000);
    const [one, other] = [documents.open('1'), documents.open('2')];
    await expect(one.merge(state(), 'a')).resolves.toMatchObject({ type: 'merged' });
    await expect(other.merge(state(), 'a')).resolves.toMatchObject({ type: 'tooLarge' });
    one.close();
    const third = documents.open('3');
    await expect(third.merge(state(), 'a')).resolves.toMatchObject({ type: 'merged' });
  });
});

describe('the queue', () => {
  test('is bounded in bytes for each room, and an idle room accepts any size', async () => {
    const documents = openDocuments({ maxBacklogBytes: 10_000 });
    const [room, other] = [documents.open('r'), documents.open('other')];
    const state = prepended(5_000);
    const first = room.merge(new Uint8Array(state), 'a');
    const second = room.apply(hello().state);
    await expect(second).rejects.toEqual(refusal('backlog'));
    await expect(other.apply(hello().state)).resolves.toMatchObject({ isApplied: true });
    await first;
    await expect(room.apply(hello().state)).resolves.toMatchObject({ isApplied: true });
    let refused = 0;
    const many = Array.from({ length: 1_000 }, () =>
      room.apply(hello().state).catch((error: DocumentError) => {
        expect(error.code).toBe('backlog');
        refused += 1;
      }),
    );
    expect(room.backlogBytes).toBeLessThanOrEqual(10_000);
    await Promise.all(many);
    expect(refused).toBeGreaterThan(900);
    expect(room.backlogBytes).toBe(0);
  });

  test('is served in turns, so that a busy room does not delay another', async () => {
    const documents = openDocuments();
    const [busy, other] = [documents.open('busy'), documents.open('other')];
    const order: string[] = [];
    const all = Array.from({ length: 20 }, () => busy.toJson().then(() => order.push('busy')));
    await other.toJson().then(() => order.push('other'));
    await Promise.all(all);
    expect(order.indexOf('other')).toBeLessThanOrEqual(2);
  });

  test('is rejected when its room closes or the thread ends', async () => {
    const documents = openDocuments();
    const { codes, onLost } = lossesOf();
    const [room, other] = [documents.open('r', { onLost }), documents.open('other', { onLost })];
    const waiting = [room.apply(hello().state), room.toJson()];
    const left = other.toJson();
    room.close();
    room.close();
    for (const answer of waiting) await expect(answer).rejects.toEqual(refusal('closed'));
    await expect(room.encode()).rejects.toEqual(refusal('closed'));
    await expect(left).resolves.toMatchObject({ isTruncated: false });
    const cut = other.toJson();
    await documents.close();
    await expect(cut).rejects.toEqual(refusal('closed'));
    expect(() => documents.open('late')).toThrow(DocumentError);
    expect(codes).toEqual([]);
  });
});

describe('a thread that fails', () => {
  test('is terminated at the deadline; every room is notified and can merge again', async () => {
    const threadLosses: unknown[] = [];
    // Only the request that never ends is in a hurry: on a busy machine any other one may take seconds.
    let deadlineMs = 60_000;
    const documents = openDocuments({
      deadlineMs: () => deadlineMs,
      onThreadLost: ({ code }, room) => threadLosses.push([code, room]),
    });
    const [heavy, light] = [lossesOf(), lossesOf()];
    const culprit = documents.open('culprit', heavy);
    const bystander = documents.open('bystander', light);
    await bystander.merge(new Uint8Array(hello().state), 'a');
    const [first, second] = endless();
    await culprit.merge(first, 'a');
    deadlineMs = 1_000;
    const stuck = culprit.merge(second, 'b');
    deadlineMs = 60_000;
    const behind = culprit.toJson();
    const waiting = bystander.toJson();
    await expect(stuck).rejects.toEqual(refusal('deadline'));
    await expect(behind).rejects.toEqual(refusal('deadline'));
    await expect(waiting).rejects.toEqual(refusal('lost'));
    expect([heavy.codes, light.codes]).toEqual([['deadline'], ['lost']]);
    expect(threadLosses).toEqual([['deadline', 'culprit']]);
    expect(await jsonOf(bystander)).toEqual({});
    await bystander.merge(new Uint8Array(hello().state), 'a');
    expect(await jsonOf(bystander)).toEqual({ t: { type: 'text', value: 'hello' } });
    await expect(culprit.toJson()).rejects.toEqual(refusal('too_heavy'));
  });

  test('leads to a refusal by name of the room that caused it, and of no other', async () => {
    let now = 0;
    const refusals = new RoomRefusals({ firstMs: 60_000, now: () => now });
    const documents = openDocuments({ deadlineMs: 200, refusals });
    const others = openDocuments({ refusals });
    const strike = async () => {
      const culprit = documents.open('culprit');
      const stuck = culprit.merge(prepended(1_500_000), 'a');
      await expect(stuck).rejects.toEqual(refusal('deadline'));
      culprit.close();
    };
    const ask = (from: Documents, room = 'culprit') => from.open(room).toJson();
    await strike();
    // By its name, in each thread.
    await expect(ask(documents)).rejects.toEqual(refusal('too_heavy'));
    await expect(ask(others)).rejects.toEqual(refusal('too_heavy'));
    await expect(ask(others, 'bystander')).resolves.toBeDefined();
    // Its awareness is not refused.
    const people = others.open('culprit', { subject: 'people' });
    await expect(people.toJson()).resolves.toBeDefined();
    now += 60_000;
    await expect(ask(others)).resolves.toBeDefined();
    await strike();
    now += 60_000;
    await expect(ask(others)).rejects.toEqual(refusal('too_heavy'));
    now += 60_000;
    await expect(ask(others)).resolves.toBeDefined();
    now += 3_600_000;
    await strike();
    now += 60_000;
    await expect(ask(others)).resolves.toBeDefined();
  });

  test('is terminated at the deadline of its first request too', async () => {
    const room = openDocuments({ deadlineMs: 200 }).open('r');
    await expect(room.merge(prepended(1_500_000), 'a')).rejects.toEqual(refusal('deadline'));
  });

  test('to start is not blamed on the waiting room', async () => {
    // Too little to load its code. With less than 3 MB Node 22 ends the process instead of the thread.
    const room = openDocuments({ maxHeapMb: 4 }).open('r');
    for (let i = 0; i < 4; i += 1)
      await expect(room.merge(prepended(1), 'a')).rejects.toEqual(refusal('lost'));
  });

  test('for lack of memory ends alone, and the room that caused it is refused', async () => {
    const documents = openDocuments({ maxHeapMb: 60 });
    const { codes, onLost } = lossesOf();
    const greedy = documents.open('greedy', { onLost });
    const other = documents.open('other');
    await expect(greedy.merge(prepended(600_000), 'a')).rejects.toEqual(refusal('lost'));
    await other.merge(new Uint8Array(hello().state), 'a');
    await expect(greedy.merge(prepended(10), 'a')).rejects.toEqual(refusal('too_heavy'));
    expect(codes).toEqual(['lost']);
    expect(await jsonOf(other)).toEqual({ t: { type: 'text', value: 'hello' } });
    greedy.close();
    await expect(documents.open('greedy').toJson()).rejects.toEqual(refusal('too_heavy'));
  });

  test('causes no unhandled rejection of ignored requests', async () => {
    const documents = openDocuments({ deadlineMs: 500 });
    const room = documents.open('r');
    const [first, second] = endless();
    void room.apply(Uint8Array.of(9));
    void room.merge(first, 'a');
    const stuck = room.merge(second, 'b');
    void room.toJson();
    void room.encode();
    void room.stateVector();
    void room.apply(first);
    await stuck.catch(() => undefined);
    await turn();
    room.close();
    void room.apply(second);
    void room.encode();
  });
});

test('the main loop is not blocked while 20 MB are merged, shown and encoded', async () => {
  const room = openDocuments().open('r');
  await room.toJson();
  const state = prepended(350_000, 'some fifty characters that cannot be joined to others');
  expect(state.byteLength).toBeGreaterThan(20_000_000);
  let isDone = false;
  let turns = 0;
  const work = Promise.all([room.merge(state, 'a'), room.toJson(), room.encode()]).finally(() => {
    isDone = true;
  });
  while (!isDone) {
    await turn();
    turns += 1;
  }
  const [merged, { json, isTruncated }, encoded] = await work;
  expect(merged.type).toBe('merged');
  expect(isTruncated).toBe(false);
  expect(json.byteLength).toBeGreaterThan(18_000_000);
  expect(encoded.byteLength).toBeGreaterThan(20_000_000);
  // Blocked, it would turn a handful of times.
  expect(turns).toBeGreaterThan(1_000);
});
