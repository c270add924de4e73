import { type AwarenessClient, AwarenessStates } from './awareness.js';
import type { AwarenessAnswer, AwarenessRequest, Bytes } from './documentProtocol.js';

const encoder = new TextEncoder();

/** Makes the time since 1970 of one of the clock of updates, in ISO 8601. */
type ToIso = (ms: number) => string;

/** A client on one line: the JSON of a state has no line end. */
const clientJson = (
  { client, clock, since, json, omitted, bytes }: AwarenessClient,
  toIso: ToIso,
): string => {
  const head = `"client":${client},"clock":${clock},"since":"${toIso(since)}"`;
  return json === undefined
    ? `{${head},"state":null,"omitted":"${omitted}","bytes":${bytes}}`
    : `{${head},"state":${json}}`;
};

const clientsJson = (clients: readonly AwarenessClient[], toIso: ToIso): string =>
  `"clients":[${clients.map((each) => clientJson(each, toIso)).join()}]`;

const frame = (event: string, fields: readonly string[]): Bytes =>
  encoder.encode(`event: ${event}\ndata: {${fields.join()}}\n\n`);

/** The awareness of one room in the worker thread, which encodes its frames. */
export class RoomAwareness {
  readonly #states = new AwarenessStates();
  /** Time since 1970 of the zero of the clock of updates, in milliseconds. */
  #zeroMs: number | undefined;
  /** The other fields of the last frame. */
  #sent = '';

  answer(request: AwarenessRequest): AwarenessAnswer {
    this.#zeroMs ??= request.wallMs - request.now;
    const garbage = this.#apply(request);
    this.#states.expire(request.now);
    const counts = this.#counts(request);
    const whole = request.isWhole
      ? { whole: frame('awareness', [this.#clientsJson(this.#states.clients()), ...counts]) }
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

  #clientsJson(clients: readonly AwarenessClient[]): string {
    return clientsJson(clients, (ms) => new Date((this.#zeroMs ?? 0) + ms).toISOString());
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
    const fields = [this.#clientsJson(clients), `"gone":[${gone.join()}]`, ...counts];
    return { isChanged, changes: frame('awareness-changes', fields) };
  }
}
