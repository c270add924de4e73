import { expect, test } from '@jest/globals';
import * as Y from 'yjs';
import { readState } from '../../../server/documents/coverage.js';
import { eventually } from '../../support/eventually.js';
import { calm, getJson, startStaged } from '../../support/stage.js';
import { docOf, edited } from '../../unit/documents/support.js';
import { startDocServer } from './support/docServer.js';
import { type RoomStatus, statusOf, untilStanding, watchRoom } from './support/rooms.js';

const room = 'r';

/** Three words of one client; the second comes after the first, the third after the second. */
const threeWords = (clientID = 7) => {
  const { state, updates } = edited((doc) => {
    for (const word of ['one ', 'two ', 'three']) {
      const text = doc.getText('text');
      text.insert(text.length, word);
    }
  }, clientID);
  const [first = state, second = state, third = state] = updates;
  return { state, first, second, third };
};
const waitingOf = (...updates: Uint8Array[]) =>
  readState(Y.encodeStateAsUpdate(docOf(...updates))).waiting;
const nothing = { structs: [], missingStructs: 0, deletions: [], missingDeletions: 0 };

test('a state waits for earlier updates of the same client', () => {
  const { state, first, second, third } = threeWords();
  expect(waitingOf(state)).toBeUndefined();
  expect(waitingOf(first, second)).toBeUndefined();
  const structs = [{ client: 7, from: 4, to: 8 }];
  expect(waitingOf(first, third)).toEqual({ ...nothing, structs, missingStructs: 4 });
  const all = [{ client: 7, from: 0, to: 8 }];
  expect(waitingOf(third)).toEqual({ ...nothing, structs: all, missingStructs: 8 });
});

test('a state waits for updates of another client', () => {
  const { state } = threeWords();
  const answer = edited((doc) => {
    Y.applyUpdate(doc, state);
    doc.getText('text').insert(6, 'x');
  }, 8).updates.at(-1);
  const waiting = waitingOf(answer ?? state);
  // As far as it refers to: the letters around it.
  const structs = [{ client: 7, from: 0, to: 7 }];
  expect(waiting).toEqual({ ...nothing, structs, missingStructs: 7 });
});

test('a state waits for elements that it deletes', () => {
  const { doc, state } = edited((doc) => doc.getText('text').insert(0, 'abc'), 7);
  const before = Y.encodeStateVector(doc);
  doc.getText('text').delete(1, 1);
  const deletion = Y.encodeStateAsUpdate(doc, before);
  expect(waitingOf(state, deletion)).toBeUndefined();
  const deletions = [{ client: 7, from: 1, to: 2 }];
  expect(waitingOf(deletion)).toEqual({ ...nothing, deletions, missingDeletions: 1 });
});

test('a server that waits for updates is named in the stream, in the log and among the servers, until they arrive', async () => {
  const { first, second, third } = threeWords();
  const [waiting, healthy] = [await startDocServer(), await startDocServer()];
  for (const update of [first, third]) Y.applyUpdate(waiting.doc(room), update);
  Y.applyUpdate(healthy.doc(room), first);
  const service = await startStaged([waiting, healthy], calm);
  const viewer = await watchRoom(service, room);
  await untilStanding(viewer, 'polling');
  const lacks = { structs: [{ client: 7, from: 4, to: 8 }], missingStructs: 4 };
  const expected = [{ server: waiting.id, ...nothing, ...lacks }];
  await eventually(() => expect(statusOf(viewer).waitingFor).toEqual(expected));
  const log = await getJson<RoomStatus>(`${service.url}/api/rooms/r/log`);
  expect(log.waitingFor).toEqual(expected);
  const servers = async () => {
    const answer = await getJson<RoomServersAnswer>(`${service.url}/api/rooms/r/servers`);
    return new Map(answer.servers.map(({ server, ...rest }) => [server, rest]));
  };
  expect((await servers()).get(waiting.id)).toMatchObject({
    answer: 'holds',
    finding: 'waiting_for',
    waitingFor: { ...nothing, ...lacks },
  });
  expect((await servers()).get(healthy.id)).toMatchObject({ waitingFor: null });
  Y.applyUpdate(waiting.doc(room), second);
  await eventually(() => expect(statusOf(viewer).waitingFor).toEqual([]));
  expect((await servers()).get(waiting.id)).toMatchObject({ waitingFor: null });
});

interface RoomServersAnswer {
  servers: { server: string; finding: string | null; waitingFor: object | null }[];
}
