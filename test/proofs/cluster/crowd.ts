import { type Editor, joinRoom } from '../../../server/demo/editors.js';
import { type BareConnection, openConnection } from '../../../server/demo/openConnection.js';
import { createRandom, pick } from '../../../server/demo/random.js';
import type { Truth } from './truth.js';

/** Somebody in a room. */
interface Member {
  readonly room: string;
  leave(): Promise<void>;
}

/** The settings of a crowd. */
export interface CrowdOptions {
  truth: Truth;
  /** `ws://host:port` of the servers. */
  servers: readonly string[];
  seed: number;
  /** Rooms that people come to and leave. */
  rooms?: number;
  /** People at a time, on the average. */
  people?: number;
}

/** Connections and real editors that come, type and leave. The caller stops it. */
export class Crowd {
  readonly #options: Required<CrowdOptions>;
  readonly #random: () => number;
  readonly #members: Member[] = [];
  readonly #staying: Member[] = [];
  readonly #editors = new Set<Editor>();
  readonly #underWay = new Set<Promise<unknown>>();
  #timer: NodeJS.Timeout | undefined;
  #next = 0;

  constructor(options: CrowdOptions) {
    this.#options = { rooms: 30, people: 60, ...options };
    this.#random = createRandom(options.seed);
  }

  /** Rooms whose connections stay, on every server. Resolves with their counts. */
  async settle(rooms: number): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (let index = 0; index < rooms; index += 1) {
      const room = `steady-${index}`;
      for (const server of this.#options.servers.slice(
        0,
        1 + (index % this.#options.servers.length),
      )) {
        this.#staying.push(await this.#connect(server, room));
        counts.set(room, (counts.get(room) ?? 0) + 1);
      }
    }
    return counts;
  }

  /** So many changes a second from now on; 0: none. */
  churn(perSecond: number): void {
    clearInterval(this.#timer);
    if (perSecond > 0) this.#timer = setInterval(() => this.#step(), 1_000 / perSecond);
  }

  /** Resolves when nothing is being opened or closed. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  async stop(): Promise<void> {
    this.churn(0);
    await this.settled();
    const all = [...this.#members.splice(0), ...this.#staying.splice(0)];
    await Promise.all(all.map((member) => member.leave()));
  }

  #step(): void {
    for (const { text, type } of this.#editors) if (text.length < 2_000) type('word ');
    const isFull = this.#members.length >= 2 * this.#options.people;
    const work = isFull || this.#random() < this.#leaving() ? this.#leave() : this.#come();
    // A server that cannot be reached fails the run: none is stopped in it.
    this.#underWay.add(work);
    work.finally(() => this.#underWay.delete(work)).catch(() => undefined);
  }

  #leaving(): number {
    return (0.5 * this.#members.length) / this.#options.people;
  }

  async #come(): Promise<void> {
    const { servers, rooms } = this.#options;
    const server = pick(this.#random, servers) ?? '';
    const room = `room-${Math.floor(this.#random() * rooms)}`;
    this.#next += 1;
    const member = await (this.#next % 8 === 0
      ? this.#edit(server, room)
      : this.#connect(server, room));
    this.#members.push(member);
  }

  async #leave(): Promise<void> {
    const [member] = this.#members.splice(Math.floor(this.#random() * this.#members.length), 1);
    await member?.leave();
  }

  async #connect(server: string, room: string): Promise<Member> {
    const { truth } = this.#options;
    truth.opening(room);
    const connection: BareConnection = await openConnection(server, room);
    truth.opened(room);
    return { room, leave: () => this.#left(room, () => connection.close()) };
  }

  async #edit(serverUrl: string, room: string): Promise<Member> {
    const { truth } = this.#options;
    truth.opening(room);
    const editor = joinRoom({ serverUrl, room });
    await editor.synced;
    truth.opened(room);
    this.#editors.add(editor);
    const leave = () => {
      this.#editors.delete(editor);
      return editor.leave();
    };
    return { room, leave: () => this.#left(room, leave) };
  }

  async #left(room: string, leave: () => Promise<void>): Promise<void> {
    const { truth } = this.#options;
    truth.closing(room);
    await leave();
    truth.closed(room);
  }
}
