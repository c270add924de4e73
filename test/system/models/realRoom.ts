import type { ActorRefFrom } from 'xstate';
import * as Y from 'yjs';
import type { RoomName } from '../../../machines/ports.js';
import type { roomMachine } from '../../../machines/roomMachine.js';
import { type EventStream, openEventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { statusOf } from '../rooms/support/rooms.js';
import { nameOf, type RoomModelEvent } from './roomModel.js';
import { RoomStage } from './roomStage.js';

/** The document of every room. */
const document = new Y.Doc();
document.getText('text').insert(0, 'what is in it');
const state = Y.encodeStateAsUpdate(document);

/** A stage on which the rooms of all paths hold this document. */
export const startRoomStage = (hasRedis: boolean) => RoomStage.start({ hasRedis });

let rooms = 0;

/** A room that is watched over SSE, on a stage that nobody else uses meanwhile. */
export class RealRoom {
  readonly #stage: RoomStage;
  readonly #name: RoomName;
  readonly #viewer: EventStream;
  /** Events that the room's machine got, by type. */
  readonly #seen: Map<string, number>;
  readonly #endSeeing: () => void;
  /** What somebody types in the room. */
  readonly #typed = new Y.Doc();

  static async watch(stage: RoomStage): Promise<RealRoom> {
    rooms += 1;
    const name = `path-${rooms}`;
    // It accepts connections, and says nothing on them until the channel is to be subscribed.
    stage.redis?.suspend();
    const seen = new Map<string, number>();
    const { unsubscribe } = stage.service.instance.system.inspect((inspected) => {
      if (inspected.type !== '@xstate.event') return;
      const { id } = inspected.actorRef as unknown as { id: string };
      const { type } = inspected.event;
      if (id === `room:${name}`) seen.set(type, (seen.get(type) ?? 0) + 1);
    });
    const path = `/api/rooms/${name}/events`;
    const viewer = await openEventStream(stage.service.url, { path });
    return new RealRoom(stage, name, viewer, seen, unsubscribe);
  }

  private constructor(
    stage: RoomStage,
    name: RoomName,
    viewer: EventStream,
    seen: Map<string, number>,
    endSeeing: () => void,
  ) {
    this.#stage = stage;
    this.#name = name;
    this.#viewer = viewer;
    this.#seen = seen;
    this.#endSeeing = endSeeing;
    Y.applyUpdate(this.#typed, state);
  }

  /** The state of the room's machine. */
  get value(): unknown {
    return this.#actor?.getSnapshot().value;
  }

  /** How the room stands, as its viewer was told last. */
  get standing(): string {
    return statusOf(this.#viewer).state;
  }

  /** The viewer leaves, and nobody comes back in time. */
  async leave(): Promise<void> {
    await this.#viewer.close();
    await this.#stage.expire();
    await eventually(() => {
      if (this.#actor) throw new Error('the room is still watched');
    });
    this.#endSeeing();
  }

  /** Makes happen what stands for an event of the model. */
  async happen(event: RoomModelEvent): Promise<void> {
    const { type } = event;
    if (type.startsWith('after.')) return this.#fire(type.slice('after.'.length));
    const happening = this.#happenings[nameOf(event)];
    if (!happening) throw new Error(`nothing real stands for ${nameOf(event)}`);
    const before = this.#timesSeen(type);
    await happening();
    await eventually(() => {
      if (this.#timesSeen(type) <= before) throw new Error(`${type} did not come`);
    });
  }

  readonly #happenings: Readonly<Record<string, () => unknown>> = {
    // There is no Redis, and nothing names a server that could post the room.
    'channel.missing': () => this.#stage.locate(this.#name, []),
    'channel.subscribed': () => this.#redis.resume(),
    'channel.lost': async () => {
      await this.#redis.cutSubscribers();
      this.#redis.suspend();
    },
    'update.received': () => this.#redis.publish(this.#name, state),
    'update.refused': () => this.#redis.publish(this.#name, updateWithoutItsPast()),
    // All that was typed so far: what was missed is in it.
    'changes.delivered': () => this.#redis.publish(this.#name, this.#type()),
    'document.lost': () => this.#stage.endDocuments(),
    'servers.located': () => this.#stage.locate(this.#name, ['127.0.0.1']),
    'servers.located nowhere': () => this.#stage.locate(this.#name, []),
    'state.received': () => this.#stage.server.answer(this.#name, { state }),
    'state.received unreadable': () =>
      this.#stage.server.answer(this.#name, { state: state.subarray(0, -3) }),
    'state.received with news': () =>
      this.#stage.server.answer(this.#name, { state: this.#type() }),
    'states.completed with a denial': () => this.#stage.server.answer(this.#name, 'deny'),
    'states.completed with a failure': () => this.#stage.server.answer(this.#name, 'fail'),
  };

  #type(): Uint8Array {
    this.#typed.getText('text').insert(0, 'and ');
    return Y.encodeStateAsUpdate(this.#typed);
  }

  #timesSeen(type: string): number {
    return this.#seen.get(type) ?? 0;
  }

  /** Delays of the machine differ in length, so that each can be told by it. */
  #fire(delay: string): void {
    const { delays } = this.#stage.machine.implementations;
    const length = (delays as Record<string, unknown>)[delay];
    const context = this.#actor?.getSnapshot().context;
    this.#stage.clock.fire(typeof length === 'function' ? length({ context }) : length);
  }

  get #redis() {
    if (!this.#stage.redis) throw new Error('there is no Redis');
    return this.#stage.redis;
  }

  get #actor(): ActorRefFrom<typeof roomMachine> | undefined {
    const { children } = this.#stage.service.instance.getSnapshot();
    return (children as Record<string, ActorRefFrom<typeof roomMachine>>)[`room:${this.#name}`];
  }
}

/** A second edit of somebody whose first one nobody else has. */
function updateWithoutItsPast(): Uint8Array {
  const doc = new Y.Doc();
  const text = doc.getText('text');
  text.insert(0, 'first');
  const past = Y.encodeStateVector(doc);
  text.insert(0, 'second');
  return Y.encodeStateAsUpdate(doc, past);
}
