/** Loaded before the service, with `--expose-gc`: counts what the process holds, when it is asked to. */

import { EventEmitter } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import v8 from 'node:v8';
import { Worker } from 'node:worker_threads';
import { Actor } from 'xstate';

/** What a process holds. */
export interface Census {
  /** Bytes of the heap after a collection. */
  heapBytes: number;
  /** How many there are of each kind: objects, timers whether they keep the process alive or not, sockets, listeners. */
  numbers: Record<string, number>;
  /** How large the heap of each thread is when it is written down, the oldest thread first. */
  threads: number[];
}

type Class = new (...args: never[]) => unknown;
// In Node 20 from 20.13 on, and in 22.
const { queryObjects } = v8 as unknown as {
  queryObjects: (of: Class, options: { format: 'count' }) => number;
};

const timer = setTimeout(() => {}, 0);
/** Every instance in the heap is counted, whoever made it; each of these takes a second. */
const classes = { objects: Object, timers: timer.constructor, actors: Actor } as unknown as Record<
  string,
  Class
>;

/** Everything that can be listened to and was made from here on: servers, sockets, Redis, threads. */
const emitters = new Set<WeakRef<EventEmitter>>();
const made = EventEmitter as unknown as { init(this: EventEmitter, options: unknown): void };
const { init } = made;
made.init = function (options) {
  emitters.add(new WeakRef(this));
  init.call(this, options);
};

/** The root of the machines, and with it all of their system. */
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
  // What a collection frees has finalizers, and these may free more.
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

/** Nothing is loaded into the threads, but their heaps can be had: that collects what is garbage there. */
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

/** Who listens to the actors of the system, and what is to be sent in it later. */
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
