import { expect } from '@jest/globals';
import type { EventStream } from './eventStream.js';
import { eventually } from './eventually.js';

/** Opens streams until one is not refused. A stream that is refused ends at once. */
export function untilAdmitted<T extends Pick<EventStream, 'isEnded'>>(
  open: () => Promise<T>,
  isAdmitted: (stream: T) => boolean,
): Promise<T> {
  return eventually(async () => {
    const stream = await open();
    await eventually(() => expect(isAdmitted(stream) || stream.isEnded()).toBe(true));
    expect(isAdmitted(stream)).toBe(true);
    return stream;
  });
}
