/** Loaded before the service, with `--expose-gc`. Counts what the process holds when a test asks. */

import { EventEmitter } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import v8 from 'node:v8';
import { Worker } from 'node:worker_threads';
import { Actor } from 'xstate';

/** What a process holds. */
export interface Census {
  /** Bytes of the heap after a collection. */
  heapBytes: number;
  /** Objects, timers, sockets, listeners and others, by kind. Timers count even if they are unreferenced. */
  numbers: Record<string, number>;
  /** Size of the heap snapshot of each thread in bytes, the oldest thread first. */
  threads: number[];
}

type Class = new (...args: never[]) => unknown;
// In Node 20 from 20.13 on, and in 22.
const { queryObjects } = v8 as unknown as {
  queryObjects: (of: Class, options: { format: 'count' }) => number;
};

const timer = setTimeout(() => {}, 0);
/** All instances in the heap are counted. Each class takes a second. */
const classes = { objects: Object, timers: timer.constructor, actors: Actor } as unknown as Record<
  string,
  Class
>;

/** Every event emitter created from now on: servers, sockets, Redis, threads. */
const emitters = new Set<WeakRef<EventEmitter>>();
const made = EventEmitter as unknown as { init(this: EventEmitter, options: unknown): void };
const { init } = made;
made.init = function (options) {
  emitters.add(new WeakRef(this));
  init.call(this, options);
};

/** The root actor. Its system has all other actors. */
let root: Actor<never> | undefined;
const { start } = Actor.prototype;
Actor.prototype.start = function () {
  root ??= this as never;
  return start.call(this);
};

type Question = { takeCensus?: boolean; countResources?: boolean };
process.on('message', async ({ takeCensus, countResources }: Question) => {
  if (countResources) process.send?.({ type: 'answer', value: resources() });
  if (takeCensus) process.send?.({ type: 'answer', value: await census() });
});

/** What keeps the process alive, by its kind. */
function resources(): Record<string, number> {
  const numbers: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) numbers[kind] = (numbers[kind] ?? 0) + 1;
  return numbers;
}

async function census(): Promise<Census> {
  // A collection runs finalizers, which may free more.
  for (let i = 0; i < 4; i += 1) {
    globalThis.gc?.();
    await turn();
  }
  const listeners = sum([process, ...alive()], listenersOf);
  const numbers: Record<string, number> = { ...resources(), listeners, ...ofMachines() };
  const { heapUsed: heapBytes } = process.memoryUsage();
  for (const [name, type] of Object.entries(classes))
    numbers[name] = queryObjects(type, { format: 'count' });
  return { heapBytes, numbers, threads: await heapsOfThreads() };
}

function* alive(): Generator<EventEmitter> {
  for (const held of emitters) {
    const emitter = held.deref();
    if (emitter) yield emitter;
    else emitters.delete(held);
  }
}

/** Takes heap snapshots, as nothing is preloaded into threads. A snapshot collects garbage first. */
async function heapsOfThreads(): Promise<number[]> {
  const threads = [...alive()].filter((it) => it instanceof Worker && it.threadId > 0) as Worker[];
  const sizes: number[] = [];
  for (const thread of threads.sort((a, b) => a.threadId - b.threadId)) {
    let size = 0;
    for await (const chunk of await thread.getHeapSnapshot()) size += chunk.length;
    sizes.push(size);
  }
  return sizes;
}

const listenersOf = (emitter: EventEmitter) =>
  sum(emitter.eventNames(), (name) => emitter.listenerCount(name));

/** Observers of the actors, and events that the system has scheduled. */
function ofMachines() {
  if (!root) throw new Error('no machine was started');
  const { children } = root.getSnapshot() as { children: Record<string, Actor<never>> };
  const actors = [root, ...Object.values(children)] as unknown as {
    observers: Set<unknown>;
    eventListeners: Map<string, Set<unknown>>;
  }[];
  const observers = sum(
    actors,
    (actor) => actor.observers.size + sum(actor.eventListeners.values(), ({ size }) => size),
  );
  const { _scheduledEvents } = root.system.getSnapshot();
  return { observers, scheduled: Object.keys(_scheduledEvents).length };
}

function sum<T>(items: Iterable<T>, of: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += of(item);
  return total;
}
