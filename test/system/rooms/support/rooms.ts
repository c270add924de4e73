/** What the tests of watched rooms start and read. */

import { request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { expect } from '@jest/globals';
import type { EventSourceMessage } from 'eventsource-parser';
import * as Y from 'yjs';
import type { Editor } from '../../../../server/demo/editors.js';
import { joinRoom } from '../../../../server/demo/editors.js';
import type { EventStream } from '../../../support/eventStream.js';
import { eventually } from '../../../support/eventually.js';
import { visits, watch } from '../../../support/stage.js';

/** On a machine that is busy. */

/** The data of a `room` event. */
export interface RoomStatus {
  room: string;
  state: string;
  source: string;
  channel: string;
  presence: string;
  servers: string[];
  tooLarge: boolean;
  diverged: { server: string; missingStructs: number; missingDeletions: number }[];
  unreadable: { server: string; reason: string }[];
  waitingFor: { server: string; missingStructs: number; missingDeletions: number }[];
  garbage: number;
}

/** A viewer of a room's JSON. */
export const watchRoom = (service: { url: string }, room: string, query = '') =>
  watch(service, `/api/rooms/${encodeURIComponent(room)}/events${query}`);

/** The data of all events with this name, in order. */
export const dataOf = <T>({ messages }: EventStream, event: string): T[] =>
  messages.filter((message) => message.event === event).map(({ data }) => JSON.parse(data) as T);

const newest = <T>(stream: EventStream, event: string): T | undefined => {
  const message = stream.messages.findLast((each) => each.event === event);
  return message && (JSON.parse(message.data) as T);
};

/** The last status of the room that the viewer got. */
export const statusOf = (stream: EventStream): RoomStatus => {
  const status = newest<RoomStatus>(stream, 'room');
  if (!status) throw new Error('no status came yet');
  return status;
};

/** The last document that the viewer got. */
export function documentOf(stream: EventStream): Record<string, { value?: unknown }> {
  const state = newest<{ document: Record<string, { value?: unknown }> }>(stream, 'state');
  if (!state) throw new Error('no state came yet');
  return state.document;
}

export const untilStanding = (stream: EventStream, ...states: string[]) =>
  eventually(() => expect(states).toContain(statusOf(stream).state));

/** A browser that merges a room's updates with Yjs by itself. */
export class Consumer {
  readonly doc = new Y.Doc();
  readonly stream: EventStream;
  #read = 0;

  constructor(stream: EventStream) {
    this.stream = stream;
  }

  /** Applies the events since the last call. */
  catchUp(): Y.Doc {
    const fresh: EventSourceMessage[] = this.stream.messages.slice(this.#read);
    this.#read += fresh.length;
    for (const { event, data } of fresh) {
      if (event !== 'state' && event !== 'update') continue;
      const { update } = JSON.parse(data) as { update: string };
      Y.applyUpdate(this.doc, Buffer.from(update, 'base64'));
    }
    return this.doc;
  }
}

export const consume = async (service: { url: string }, room: string) =>
  new Consumer(await watchRoom(service, room, '?as=updates'));

/** What a document is, however it was put together: its elements and its deletions. */
export const contentOf = (doc: Y.Doc) => ({
  text: doc.getText('text').toString(),
  vector: Object.fromEntries([...Y.decodeStateVector(Y.encodeStateVector(doc))].sort()),
});

/** The encoded state of a room on one server; undefined: it does not hold it. */
export async function stateOn(server: { port: number }, room: string): Promise<Buffer | undefined> {
  const path = `/api/room?id=${room}`;
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port: server.port, path, agent: false });
    asking.on('error', reject);
    asking.on('response', async (answer) => {
      const bytes = await buffer(answer);
      resolve(answer.statusCode === 200 ? bytes : undefined);
    });
    asking.end();
  });
}

export async function docOn(server: { port: number }, room: string): Promise<Y.Doc> {
  const state = await stateOn(server, room);
  if (!state) throw new Error(`${server.port} does not hold ${room}`);
  const doc = new Y.Doc();
  Y.applyUpdate(doc, state);
  return doc;
}

/** An editor that leaves at the end of the test. */
export const enter = (server: { url: string }, room: string, name = 'editor'): Editor =>
  visits(joinRoom({ serverUrl: server.url, room, name }), (it) => it.leave());

/** The same, in sync. */
export async function edit(server: { url: string }, room: string, name?: string): Promise<Editor> {
  const editor = enter(server, room, name);
  await editor.synced;
  return editor;
}
