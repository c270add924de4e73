/** Frames of an event stream (HTML Standard, section 9.2), encoded once for all who get them. */

/** One or more whole messages; in parts where to join them would copy many MB. */
export type Frame = Buffer | readonly Buffer[];

/** One message; `event` and `id` are this service's own words and never hold a line end. */
export function messageFrame(data: string, { event, id }: { event?: string; id?: string } = {}) {
  const fields = [event && `event: ${event}`, id && `id: ${id}`, `data: ${data}`];
  return Buffer.from(`${fields.filter(Boolean).join('\n')}\n\n`);
}

/** Keeps a connection alive, and shows a dead one. */
export const heartbeatFrame = Buffer.from(':\n\n');

/** Tells an EventSource to come back later; ending the stream without it means three seconds. */
export function retryFrame(ms: number): Buffer {
  return Buffer.from(`retry: ${ms}\n\n`);
}
