import type { StatelyInspectionEvent } from '@statelyai/inspect';
import type { Logger } from 'pino';
import type { InspectedEventEvent, InspectedSnapshotEvent, InspectionEvent } from 'xstate';
import { Channel } from '../sse/channel.js';
import { messageFrame } from '../sse/frames.js';
import { Heartbeat } from '../sse/heartbeat.js';
import type { Viewer } from '../sse/viewer.js';
import { History } from './history.js';
import {
  actorMessage,
  eventMessage,
  type InspectedActor,
  messageJson,
  newborn,
  snapshotMessage,
} from './messages.js';

/** Which events are passed on: without those that come by the hundred in a second, or all. */
export type InspectedEvents = 'few' | 'all';

/** Connections and updates as they come: nobody can follow them, and they are what the service works for. */
const frequent = new Set(['deltas.received', 'update.received', 'update.applied']);
/** An inspector is told of every actor anew when it falls behind: some MB for a thousand servers. */
const maxViewers = 8;

interface Actor {
  ref: InspectedActor;
  rootId: string;
  /** Its state value as JSON, as it was last seen. */
  value?: string;
}

/**
 * Follows the actors of the service for Stately inspectors: who comes is told of every actor and its
 * state, then of each event and transition. Without a viewer it only notes actors and events.
 */
export class Inspector {
  readonly #log: Logger;
  readonly #actors = new Map<string, Actor>();
  readonly #history = new History();
  readonly #channels: Record<InspectedEvents, Channel> = {
    few: new Channel(() => this.#whole()),
    all: new Channel(() => this.#whole()),
  };
  readonly #heartbeat = new Heartbeat({
    catchUp: () => {
      for (const channel of Object.values(this.#channels)) channel.catchUp();
    },
    viewers: () => this.#attached(),
  });

  constructor(log: Logger) {
    this.#log = log;
  }

  /** What `createActor` takes as `inspect`. It must not throw: it would end the actor that it watches. */
  readonly observe = (event: InspectionEvent): void => {
    if (event.type === '@xstate.event') this.#try(() => this.#noteEvent(event));
    else if (event.type === '@xstate.snapshot') this.#try(() => this.#noteSnapshot(event));
    else if (event.type === '@xstate.actor') this.#try(() => this.#noteActor(event));
  };

  /** Whether as many inspectors as can be served are attached. */
  get isFull(): boolean {
    return this.viewers >= maxViewers;
  }

  get viewers(): number {
    return this.#channels.few.size + this.#channels.all.size;
  }

  /** What is held for inspectors that come later. */
  get held(): { actors: number; frames: number; bytes: number } {
    const { frames, bytes } = this.#history;
    return { actors: this.#actors.size, frames, bytes };
  }

  add(viewer: Viewer, events: InspectedEvents): void {
    this.#channels[events].addBehind(viewer);
    this.#heartbeat.start();
  }

  remove(viewer: Viewer): void {
    for (const channel of Object.values(this.#channels)) channel.remove(viewer);
    if (this.viewers === 0) this.#heartbeat.stop();
  }

  /** Ends every stream. */
  close(): void {
    this.#heartbeat.stop();
    for (const viewer of this.#attached()) viewer.end();
  }

  #noteActor({ actorRef, rootId }: InspectionEvent): void {
    const ref = actorRef as InspectedActor;
    this.#actors.set(ref.sessionId, { ref, rootId });
    if (this.viewers > 0) this.#broadcast(frameOf(actorMessage(ref, rootId, newborn)));
  }

  #noteEvent(event: InspectedEventEvent): void {
    const isFrequent = frequent.has(event.event.type);
    if (isFrequent && this.#channels.all.size === 0) return;
    const frame = frameOf(eventMessage(event));
    if (!isFrequent) this.#history.push(event.actorRef.sessionId, frame);
    this.#broadcast(frame, isFrequent);
  }

  #noteSnapshot(event: InspectedSnapshotEvent): void {
    const { sessionId } = event.actorRef;
    const actor = this.#actors.get(sessionId);
    if (event.snapshot.status !== 'active') this.#actors.delete(sessionId);
    if (this.viewers === 0) return;
    const hasMoved = noteMove(actor, event);
    const isFrequent = frequent.has(event.event.type) && !hasMoved;
    if (isFrequent && this.#channels.all.size === 0) return;
    this.#broadcast(frameOf(snapshotMessage(event)), isFrequent);
  }

  #broadcast(frame: Buffer, isFrequent = false): void {
    this.#channels.all.broadcast(frame);
    if (!isFrequent) this.#channels.few.broadcast(frame);
  }

  /** Every actor in its present state, then what was sent to them of late. */
  #whole(): Buffer {
    const actors = [...this.#actors.values()].flatMap(
      ({ ref, rootId }) => this.#try(() => [frameOf(actorMessage(ref, rootId))]) ?? [],
    );
    return Buffer.concat([...actors, ...this.#history.of((actor) => this.#actors.has(actor))]);
  }

  /** A context that cannot be shown is a defect; it must not reach timers, nor those who look at others. */
  #try<Result>(attempt: () => Result): Result | undefined {
    try {
      return attempt();
    } catch (error) {
      this.#log.error({ err: error }, 'an actor could not be inspected');
      return undefined;
    }
  }

  *#attached(): Generator<Viewer> {
    for (const channel of Object.values(this.#channels)) yield* channel;
  }
}

const frameOf = (message: StatelyInspectionEvent) => messageFrame(messageJson(message));

/** Whether an actor is in another state than before; numbers in its context do not count. */
function noteMove(actor: Actor | undefined, { snapshot }: InspectedSnapshotEvent): boolean {
  if (!actor || !('value' in snapshot)) return false;
  const value = JSON.stringify(snapshot.value);
  const isSame = actor.value === value;
  actor.value = value;
  return !isSame;
}
