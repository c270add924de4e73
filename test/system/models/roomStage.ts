import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import type { RoomName } from '../../../machines/ports.js';
import type { roomMachine } from '../../../machines/roomMachine.js';
import type { Service } from '../../../server/service.js';
import type { Store, StoredRoom } from '../../../server/store/store.js';
import { emptyStore } from '../../support/emptyStore.js';
import { eventually } from '../../support/eventually.js';
import { type RedisServer, startRedis } from '../../support/redisServer.js';
import { startTestService } from '../../support/service.js';
import { Coverage } from '../../worlds/coverage.js';
import { HandClock } from './handClock.js';
import { HeldServer } from './heldServer.js';

/** Unlike the delays of a room's machine, so that it can be told from them. */
const lingerMs = 7000;

/** The real service with one pub-sub server, with a real Redis or none; for one path after the other. */
export class RoomStage {
  readonly clock = new HandClock();
  readonly server: HeldServer;
  readonly redis: RedisServer | undefined;
  readonly #items = new Map<RoomName, (item: StoredRoom | undefined) => void>();
  /** Of the documents: there are no others in this process. */
  readonly #threads = new Set<Worker>();
  #service: Service | undefined;
  #coverage: Coverage | undefined;

  static async start({ hasRedis }: { hasRedis: boolean }) {
    const server = await HeldServer.start();
    const stage = new RoomStage(server, hasRedis ? await startRedis() : undefined);
    await stage.#begin();
    return stage;
  }

  private constructor(server: HeldServer, redis: RedisServer | undefined) {
    this.server = server;
    this.redis = redis;
  }

  async #begin(): Promise<void> {
    subscribe('worker_threads', this.#noteThread);
    const env = {
      LINGER_MS: `${lingerMs}`,
      REQUEST_TIMEOUT_MS: '20000',
      FRAME_INTERVAL_MS: '5',
      PUBSUB_PORT: `${this.server.port}`,
      ...(this.redis && { REDIS_URL: this.redis.url }),
    };
    const overrides = { openStore: async () => this.#store, clock: this.clock };
    this.#service = await startTestService(env, overrides);
    this.#coverage = new Coverage([this.machine]);
    this.#service.instance.system.inspect(this.#coverage.observe);
  }

  async stop(): Promise<void> {
    await this.#service?.stop();
    await this.server.stop();
    await this.redis?.stop();
    unsubscribe('worker_threads', this.#noteThread);
  }

  get service(): Service {
    if (!this.#service) throw new Error('the service has not started');
    return this.#service;
  }

  /** The machine of a room as it is wired. */
  get machine(): typeof roomMachine {
    const { machine } = this.service.instance.getSnapshot();
    return machine.implementations.actors.room as typeof roomMachine;
  }

  /** Places of the room's machine that were reached so far. */
  get reached(): string[] {
    return this.#coverage?.reached ?? [];
  }

  /** Has the metadata store say where a room is, as soon as it is asked. */
  async locate(room: RoomName, addresses: readonly string[]): Promise<void> {
    const tell = await eventually(() => {
      const asked = this.#items.get(room);
      if (!asked) throw new Error(`nobody asks where ${room} is`);
      return asked;
    });
    this.#items.delete(room);
    tell(addresses.length > 0 ? { id: room, addresses } : undefined);
  }

  /** Ends the thread that all documents live in, as a crash of it does. */
  async endDocuments(): Promise<void> {
    // It runs from the first work on, which watching a room is.
    const [thread, ...others] = await eventually(() => {
      if (this.#threads.size === 0) throw new Error('no thread runs');
      return [...this.#threads];
    });
    if (!thread || others.length > 0) throw new Error(`${this.#threads.size} threads run`);
    await Promise.all([once(thread, 'exit'), thread.terminate()]);
  }

  /** Has the time go by that a room is kept for viewers who come back. */
  async expire(): Promise<void> {
    // The service hears a little later that a viewer left.
    await eventually(() => this.clock.fire(lingerMs));
  }

  readonly #noteThread = (message: unknown): void => {
    const { worker } = message as { worker: Worker };
    this.#threads.add(worker);
    worker.once('exit', () => this.#threads.delete(worker));
  };

  get #store(): Store {
    const get = async (room: RoomName): Promise<StoredRoom | undefined> =>
      new Promise((resolve) => this.#items.set(room, resolve));
    return { ...emptyStore, rooms: { ...emptyStore.rooms, get } };
  }
}
