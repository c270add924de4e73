import { type AwarenessClient, AwarenessStates } from './awareness.js';
import type { AwarenessAnswer, AwarenessRequest, Bytes } from './documentProtocol.js';

const encoder = new TextEncoder();

/** A client on one line: the JSON of a state has no line end. */
const clientJson = ({ client, clock, json, omitted, bytes }: AwarenessClient): string =>
  json === undefined
    ? `{"client":${client},"clock":${clock},"state":null,"omitted":"${omitted}","bytes":${bytes}}`
    : `{"client":${client},"clock":${clock},"state":${json}}`;

const clientsJson = (clients: readonly AwarenessClient[]): string =>
  `"clients":[${clients.map(clientJson).join()}]`;

const frame = (event: string, fields: readonly string[]): Bytes =>
  encoder.encode(`event: ${event}\ndata: {${fields.join()}}\n\n`);

/** The awareness of one room in the worker thread, which encodes its frames. */
export class RoomAwareness {
  readonly #states = new AwarenessStates();
  /** The other fields of the last frame. */
  #sent = '';

  answer(request: AwarenessRequest): AwarenessAnswer {
    const garbage = this.#apply(request);
    this.#states.expire(request.now);
    const counts = this.#counts(request);
    const whole = request.isWhole
      ? { whole: frame('awareness', [clientsJson(this.#states.clients()), ...counts]) }
      : {};
    const changes = request.isFlush ? this.#changes(counts, request.isEncoded) : {};
    const nextExpiryAt = this.#states.nextExpiryAt();
    return { garbage, isChanged: false, nextExpiryAt, ...changes, ...whole };
  }

  /** Returns the lengths of the messages that are no awareness updates. */
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

  #counts({ dropped, since }: AwarenessRequest): string[] {
    const { leftOut } = this.#states;
    return [`"leftOut":${leftOut}`, `"dropped":${dropped}`, `"since":${JSON.stringify(since)}`];
  }

  #changes(counts: readonly string[], isEncoded: boolean) {
    const text = counts.join();
    const isChanged = this.#states.hasChanged || text !== this.#sent;
    this.#sent = text;
    const { clients, gone } = this.#states.takeChanges();
    if (!isChanged || !isEncoded) return { isChanged };
    const fields = [clientsJson(clients), `"gone":[${gone.join()}]`, ...counts];
    return { isChanged, changes: frame('awareness-changes', fields) };
  }
}
