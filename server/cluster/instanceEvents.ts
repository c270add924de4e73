import type { IncomingHttpHeaders } from 'node:http';
import { createParser } from 'eventsource-parser';
import type { Request } from 'got';
import { causeOf } from '../causeOf.js';

/** An answer of another instance. Its body is still to be read, or to be destroyed. */
export interface OpenAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Request;
}

/** What follows an event stream of another instance. */
export interface InstanceEvents {
  /** The stream is open. */
  onOpen?: () => void;
  onEvent: (event: InstanceEvent) => void;
  /** The stream has ended, or could not be opened. Not called after `close`. */
  onEnd: (cause: string) => void;
}

/** An event as sent: `id` is empty if it has none. */
export interface InstanceEvent {
  name: string;
  id: string;
  data: string;
}

interface Reading {
  /** Silence after which the stream is given up; undefined: never. */
  idleMs?: number | undefined;
  signal: AbortSignal;
}

/** Reads an event stream to its end. Never rejects: `onEnd` gets the reason. */
export async function readInstanceEvents(
  opening: Promise<OpenAnswer>,
  events: InstanceEvents,
  reading: Reading,
): Promise<void> {
  const { signal } = reading;
  const decoder = new TextDecoder();
  const parser = createParser({
    onEvent: ({ event: name = 'message', id = '', data }) => {
      if (!signal.aborted) events.onEvent({ name, id, data });
    },
  });
  const onChunk = (chunk: Buffer) => parser.feed(decoder.decode(chunk, { stream: true }));
  const failure = await readEventStream(opening, { onOpen: events.onOpen, onChunk }, reading);
  if (!signal.aborted) events.onEnd(failure ?? 'the stream ended');
}

interface StreamBytes {
  onOpen?: (() => void) | undefined;
  onChunk: (chunk: Buffer) => void;
}

/** Reads the bytes of an event stream, until the signal. Resolves with what failed; undefined: it has ended. */
export async function readEventStream(
  opening: Promise<OpenAnswer>,
  bytes: StreamBytes,
  reading: Reading,
): Promise<string | undefined> {
  try {
    const { status, headers, body } = await opening;
    if (reading.signal.aborted) return undefined;
    if (status === 200 && headers['content-type']?.startsWith('text/event-stream')) {
      bytes.onOpen?.();
      await readAll(body, bytes, reading);
      return undefined;
    }
    body.destroy();
    return `answered ${status}`;
  } catch (error) {
    return causeOf(error);
  }
}

async function readAll(
  body: OpenAnswer['body'],
  { onChunk }: StreamBytes,
  { idleMs, signal }: Reading,
): Promise<void> {
  const silence = idleTimer(idleMs, () => body.destroy(new Error(`silent for ${idleMs} ms`)));
  try {
    for await (const chunk of body) {
      if (signal.aborted) return;
      silence.refresh();
      onChunk(chunk);
    }
  } finally {
    silence.stop();
  }
}

function idleTimer(ms: number | undefined, onIdle: () => void) {
  const timer = ms === undefined ? undefined : setTimeout(onIdle, ms);
  return { refresh: () => timer?.refresh(), stop: () => clearTimeout(timer) };
}
