import type { StatelyInspectionEvent } from '@statelyai/inspect';
import { type EventStream, openEventStream } from '../../support/eventStream.js';
import { owns } from '../../support/stage.js';

/** A client of the inspector's protocol on `/inspect/events`. */
export interface InspectorClient extends EventStream {
  /** The inspector's messages so far, in order. */
  told(): StatelyInspectionEvent[];
  /** The last state of each actor by its name, as JSON. */
  states(): Record<string, string>;
}

/** Attaches an inspector to a service, as a program does. */
export async function inspect(
  { url }: { url: string },
  { query = '', headers = {} }: { query?: string; headers?: Record<string, string> } = {},
): Promise<InspectorClient> {
  const stream = await openEventStream(url, { path: `/inspect/events${query}`, headers });
  const told = () => stream.messages.map(({ data }) => JSON.parse(data) as StatelyInspectionEvent);
  const client = { ...stream, told, states: () => statesIn(told()) };
  return owns(client, (it) => it.close());
}

/** The last state of each actor according to these messages. */
export function statesIn(messages: readonly StatelyInspectionEvent[]): Record<string, string> {
  const names = new Map<string, string>();
  const states: Record<string, string> = {};
  for (const message of messages) {
    if (message.type === '@xstate.event') continue;
    if (message.type === '@xstate.actor') names.set(message.sessionId, message.name);
    const { value, status } = message.snapshot as { value?: unknown; status?: string };
    const name = names.get(message.sessionId);
    if (name !== undefined)
      states[name] = value === undefined ? `${status}` : JSON.stringify(value);
  }
  return states;
}
