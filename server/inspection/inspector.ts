import type { StatelyInspectionEvent } from '@statelyai/inspect';
import type { Logger } from 'pino';
import type { InspectedEventEvent, InspectedSnapshotEvent, InspectionEvent } from 'xstate';
import { Channel, type StreamViewer } from '../sse/channel.js';
import { messageFrame } from '../sse/frames.js';
import { Heartbeat } from '../sse/heartbeat.js';
import type { Viewer } from '../sse/viewer.js';
import { History } from './history.js';
import {
  actorMessage,
  eventMessage,
  type InspectedActor,
  messageJson,
  snapshotMessage,
  unstarted,
} from './messages.js';

/** Which events to send: all, or without the most frequent ones. */
export type InspectedEvents = 'few' | 'all';

/** Connections and updates: too many to follow. */
const frequent = new Set(['deltas.received', 'update.received', 'update.applied']);
/** An inspector that falls behind gets all actors again: some MB for a thousand servers. */
const maxViewers = 8;

interface Actor {
  ref: InspectedActor;
  rootId: string;
  /** Its last state value, as JSON. */
  value?: string;
}

/**
 * Streams the actors of the service to Stately inspectors: first every actor and its state, then each event and
 * transition. Without a viewer it only records actors and events.
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

  /** The `inspect` option of `createActor`. It must not throw, because that would end the inspected actor. */
  readonly observe = (event: InspectionEvent): void => {
    if (event.type === '@xstate.event') this.#try(() => this.#noteEvent(event));
    else if (event.type === '@xstate.snapshot') this.#try(() => this.#noteSnapshot(event));
    else if (event.type === '@xstate.actor') this.#try(() => this.#noteActor(event));
  };

  /** Whether the limit of attached inspectors is reached. */
  get isFull(): boolean {
    return this.viewers >= maxViewers;
  }

  get viewers(): number {
    return this.#channels.few.size + this.#channels.all.size;
  }

  /** How much is kept for inspectors that connect later. */
  get held(): { actors: number; frames: number; bytes: number } {
    const { frames, bytes } = this.#history;
    return { actors: this.#actors.size, frames, bytes };
  }

  add(viewer: Viewer, events: InspectedEvents): void {
    this.#channels[events].addNeedingState(viewer);
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
    if (this.viewers > 0) this.#broadcast(frameOf(actorMessage(ref, rootId, unstarted)));
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
    const hasMoved = noteState(actor, event);
    const isFrequent = frequent.has(event.event.type) && !hasMoved;
    if (isFrequent && this.#channels.all.size === 0) return;
    this.#broadcast(frameOf(snapshotMessage(event)), isFrequent);
  }

  #broadcast(frame: Buffer, isFrequent = false): void {
    this.#channels.all.broadcast(frame);
    if (!isFrequent) this.#channels.few.broadcast(frame);
  }

  /** Every actor in its current state, then the last events. */
  #whole(): Buffer {
    const actors = [...this.#actors.values()].flatMap(
      ({ ref, rootId }) => this.#try(() => [frameOf(actorMessage(ref, rootId))]) ?? [],
    );
    return Buffer.concat([...actors, ...this.#history.of((actor) => this.#actors.has(actor))]);
  }

  /** A context that cannot be shown is a defect, which must not disturb the service or other inspectors. */
  #try<Result>(attempt: () => Result): Result | undefined {
    try {
      return attempt();
    } catch (error) {
      this.#log.error({ err: error }, 'an actor could not be inspected');
      return undefined;
    }
  }

  *#attached(): Generator<StreamViewer> {
    for (const channel of Object.values(this.#channels)) yield* channel;
  }
}

const frameOf = (message: StatelyInspectionEvent) => messageFrame(messageJson(message));

/** Records the state of an actor. Returns whether it changed; its context does not count. */
function noteState(actor: Actor | undefined, { snapshot }: InspectedSnapshotEvent): boolean {
  if (!actor || !('value' in snapshot)) return false;
  const value = JSON.stringify(snapshot.value);
  const isSame = actor.value === value;
  actor.value = value;
  return !isSame;
}
