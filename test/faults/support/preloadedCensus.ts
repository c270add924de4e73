/** Loaded before the service, with `--expose-gc`: counts what the process holds, when it is asked to. */

import { setImmediate as turn } from 'node:timers/promises';

/** What a process holds. */
export interface Census {
  /** Bytes of the heap after a collection. */
  heapBytes: number;
  /** Kinds of what keeps the process alive, and how many there are of each: timers, sockets, requests. */
  resources: Record<string, number>;
  /** Listeners on the process itself. */
  listeners: number;
}

process.on('message', async ({ takeCensus }: { takeCensus?: boolean }) => {
  if (takeCensus) process.send?.({ type: 'answer', value: await census() });
});

async function census(): Promise<Census> {
  // What a collection frees has finalizers, and these may free more.
  for (let i = 0; i < 4; i += 1) {
    globalThis.gc?.();
    await turn();
  }
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  const names = process.eventNames();
  const listeners = names.reduce((sum, name) => sum + process.listenerCount(name), 0);
  return { heapBytes: process.memoryUsage().heapUsed, resources, listeners };
}
