import type { UpstreamEvent } from './upstream.js';

const lineEnd = 0x0a;
const messageEnd = Buffer.from('\n\n');

/**
 * Splits a stream of this service into its messages, as bytes: they are passed on as they are. Not a general
 * parser of event streams: lines end with a line feed, and a message has one line of data.
 */
export class MessageReader {
  readonly #onMessage: (message: UpstreamEvent) => void;
  /** The beginning of a message. */
  #parts: Buffer[] = [];

  constructor(onMessage: (message: UpstreamEvent) => void) {
    this.#onMessage = onMessage;
  }

  push(chunk: Buffer): void {
    let start = 0;
    let end = this.#isLineEnded && chunk[0] === lineEnd ? 1 : endOfMessage(chunk, 0);
    for (; end > 0; end = endOfMessage(chunk, start)) {
      this.#take(chunk.subarray(start, end));
      start = end;
    }
    if (start < chunk.length) this.#parts.push(chunk.subarray(start));
  }

  get #isLineEnded(): boolean {
    return this.#parts.at(-1)?.at(-1) === lineEnd;
  }

  #take(last: Buffer): void {
    const parts = this.#parts;
    this.#parts = [];
    const message = parseMessage(parts.length > 0 ? Buffer.concat([...parts, last]) : last);
    if (message) this.#onMessage(message);
  }
}

/** Where the first message ends; 0: nowhere. */
function endOfMessage(chunk: Buffer, from: number): number {
  const at = chunk.indexOf(messageEnd, from);
  return at < 0 ? 0 : at + messageEnd.length;
}

/** Undefined: it has no data, like a comment or `retry`. */
function parseMessage(frame: Buffer): UpstreamEvent | undefined {
  let name = 'message';
  let id = '';
  for (let at = 0; at < frame.length; ) {
    const end = frame.indexOf(lineEnd, at);
    if (startsWith(frame, 'data: ', at))
      return { name, id, data: frame.subarray(at + 6, end), frame };
    if (startsWith(frame, 'event: ', at)) name = frame.toString('utf8', at + 7, end);
    else if (startsWith(frame, 'id: ', at)) id = frame.toString('utf8', at + 4, end);
    at = end + 1;
  }
  return undefined;
}

const startsWith = (frame: Buffer, field: string, at: number) =>
  frame.toString('latin1', at, at + field.length) === field;
