import { AwarenessStates, type Person } from './awareness.js';
import type { AwarenessAnswer, AwarenessRequest, Bytes } from './documentProtocol.js';

const encoder = new TextEncoder();

// On one line each: a state's JSON has no line end.
const personJson = ({ client, clock, json, omitted, bytes }: Person): string =>
  json === undefined
    ? `{"client":${client},"clock":${clock},"state":null,"omitted":"${omitted}","bytes":${bytes}}`
    : `{"client":${client},"clock":${clock},"state":${json}}`;

const clientsJson = (people: readonly Person[]): string =>
  `"clients":[${people.map(personJson).join()}]`;

const frame = (event: string, fields: readonly string[]): Bytes =>
  encoder.encode(`event: ${event}\ndata: {${fields.join()}}\n\n`);

/** The awareness of one room as it lives in the documents' thread, which encodes its frames. */
export class RoomAwareness {
  readonly #states = new AwarenessStates();
  /** What was told last beside the people. */
  #told = '';

  answer(request: AwarenessRequest): AwarenessAnswer {
    const garbage = this.#apply(request);
    this.#states.expire(request.now);
    const about = this.#about(request);
    const whole = request.isWhole
      ? { whole: frame('awareness', [clientsJson(this.#states.people()), ...about]) }
      : {};
    const changes = request.isFlush ? this.#changes(about, request.isEncoded) : {};
    const nextExpiryAt = this.#states.nextExpiryAt();
    return { garbage, isChanged: false, nextExpiryAt, ...changes, ...whole };
  }

  /** Lengths of the updates that are none. */
  #apply({ updates, lengths, tooLarge, now }: AwarenessRequest): number[] {
    const garbage: number[] = [];
    let start = 0;
    for (const length of lengths) {
      const update = updates.subarray(start, start + length);
      start += length;
      if (!this.#states.apply(update, now)) garbage.push(length);
    }
    for (const { client, clock, bytes } of tooLarge)
      this.#states.applyTooLarge(client, clock, bytes, now);
    return garbage;
  }

  #about({ dropped, since }: AwarenessRequest): string[] {
    const { leftOut } = this.#states;
    return [`"leftOut":${leftOut}`, `"dropped":${dropped}`, `"since":${JSON.stringify(since)}`];
  }

  #changes(about: readonly string[], isEncoded: boolean) {
    const told = about.join();
    const isChanged = this.#states.hasChanged || told !== this.#told;
    this.#told = told;
    const { clients, gone } = this.#states.takeChanges();
    if (!isChanged || !isEncoded) return { isChanged };
    const fields = [clientsJson(clients), `"gone":[${gone.join()}]`, ...about];
    return { isChanged, changes: frame('awareness-changes', fields) };
  }
}
