/**
 * Loaded before the service. Measures turns of the event loop by the time that the main thread has the
 * processor, which does not depend on other processes (Linux).
 */

import { readFileSync } from 'node:fs';

/** Milliseconds of the processor for the main thread so far: see `/proc/<pid>/schedstat` in proc(5). */
const usedMs = () =>
  Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;

let longest = 0;
let last = 0;
let timer: NodeJS.Timeout | undefined;

function measure(): void {
  const now = usedMs();
  longest = Math.max(longest, now - last);
  last = now;
}

process.on('message', ({ measureTurns }: { measureTurns?: boolean }) => {
  if (measureTurns === undefined) return;
  clearInterval(timer);
  if (measureTurns) {
    [longest, last] = [0, usedMs()];
    timer = setInterval(measure, 1);
  } else measure();
  process.send?.({ type: 'answer', value: longest });
});
