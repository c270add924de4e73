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
  idleMs: number | undefined;
  signal: AbortSignal;
}

/** Reads an event stream to its end. Never rejects: `onEnd` gets the reason. */
export async function readInstanceEvents(
  opening: Promise<OpenAnswer>,
  events: InstanceEvents,
  { idleMs, signal }: Reading,
): Promise<void> {
  const end = (cause: string) => {
    if (!signal.aborted) events.onEnd(cause);
  };
  try {
    const { status, headers, body } = await opening;
    if (signal.aborted) return;
    if (status !== 200 || !headers['content-type']?.startsWith('text/event-stream')) {
      body.destroy();
      return end(`answered ${status}`);
    }
    events.onOpen?.();
    await readAll(body, events, { idleMs, signal });
    end('the stream ended');
  } catch (error) {
    end(causeOf(error));
  }
}

async function readAll(
  body: OpenAnswer['body'],
  { onEvent }: InstanceEvents,
  { idleMs, signal }: Reading,
): Promise<void> {
  const decoder = new TextDecoder();
  const parser = createParser({
    onEvent: ({ event: name = 'message', id = '', data }) => {
      if (!signal.aborted) onEvent({ name, id, data });
    },
  });
  const silence = idleTimer(idleMs, () => body.destroy(new Error(`silent for ${idleMs} ms`)));
  try {
    for await (const chunk of body) {
      silence.refresh();
      parser.feed(decoder.decode(chunk, { stream: true }));
    }
  } finally {
    silence.stop();
  }
}

function idleTimer(ms: number | undefined, onIdle: () => void) {
  const timer = ms === undefined ? undefined : setTimeout(onIdle, ms);
  return { refresh: () => timer?.refresh(), stop: () => clearTimeout(timer) };
}
