/** What the tests of awareness publish and read. */

import * as encoding from 'lib0/encoding';
import type { EventStream } from '../../../support/eventStream.js';

/** One announcement: client, clock, state. */
export type Said = [client: number, clock: number, state: unknown];

/** An awareness update, as `encodeAwarenessUpdate` of y-protocols writes it. */
export const awarenessUpdate = (...said: Said[]): Uint8Array => {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, said.length);
  for (const [client, clock, state] of said) {
    encoding.writeVarUint(encoder, client);
    encoding.writeVarUint(encoder, clock);
    encoding.writeVarString(encoder, JSON.stringify(state));
  }
  return encoding.toUint8Array(encoder);
};

/** A client in the room, as viewers get it. */
export interface Person {
  client: number;
  clock: number;
  state: unknown;
  omitted?: string;
  bytes?: number;
}

/** The data of an `awareness` event; `gone` is in `awareness-changes` alone. */
export interface People {
  clients: Person[];
  gone?: number[];
  leftOut: number;
  dropped: number;
  since: string | null;
}

/** Frames about people, in order. */
export const framesOf = ({ messages }: Pick<EventStream, 'messages'>): [string, People][] =>
  messages.flatMap(({ event, data }) =>
    event?.startsWith('awareness') ? [[event, JSON.parse(data) as People]] : [],
  );

/** The clients in the room, from both kinds of frames. */
export function peopleOf(frames: readonly [string, People][]): Map<number, Person> {
  const people = new Map<number, Person>();
  for (const [event, { clients, gone = [] }] of frames) {
    if (event === 'awareness') people.clear();
    for (const person of clients) people.set(person.client, person);
    for (const client of gone) people.delete(client);
  }
  return people;
}
