import type { ServerId } from '../../machines/ports.js';
import type { StartupAnswer, StartupQuery } from '../../server/pubsub/startupQuery.js';
import { ForgottenRooms } from './forgottenRooms.js';
import type { Direction, Parcel } from './network.js';
import type { HostPlan } from './plan.js';
import type { World } from './world.js';

/** What a pub-sub server needs of its world. */
export interface HostWorld
  extends Pick<World, 'nowMs' | 'note' | 'hosts' | 'network' | 'random' | 'extras' | 'further'> {
  readonly plan: { readonly isLossy: boolean; readonly isProxied: boolean };
  /** A post that has arrived. */
  takePost(address: string, eventsUrl: string, body: string): void;
  /** A start-up query that has arrived. */
  answerStartup(query: StartupQuery, tell: (answer: StartupAnswer) => void): void;
  /** Whether whoever sent a request with this URL still waits for its answer. */
  awaits(server: ServerId, eventsUrl: string): boolean;
}

/** One running pub-sub server: what it holds in memory, and where it posts. */
export interface PubSubProcess {
  readonly rooms: Map<string, number>;
  /** Connections that its snapshots miss. */
  readonly forgotten: ForgottenRooms;
  isActive: boolean;
  eventsUrl: string;
  /** Posts of it that have arrived since it was last told something. */
  posts: number;
  /** Whether what told it last was late, so that the service does not know: it finds out when it posts. */
  isAstray: boolean;
}

/** What a server answered to a request. */
export type Reply = { status: number; json?: Record<string, number>[] };

/** What is asked of a server; the answer is given in the instant in which it is done. */
export interface Call {
  readonly what: string;
  readonly wish?: { active: boolean; eventsUrl: string };
  readonly reply: (reply: Reply | 'refused') => void;
}

/** A place where a pub-sub server runs, or not: it behaves as the deployed program does. */
export class Host {
  readonly plan: HostPlan;
  readonly cuts = new Set<Direction>();
  held: Parcel[] = [];
  deltasUnderWay = 0;
  lastDeltaAtMs = 0;
  /** Requests, answers and start-up queries that are late and have not arrived. */
  lateUnderWay = 0;
  process: PubSubProcess | undefined;
  isHung = false;
  /** None of its posts arrives. */
  isMuted = false;
  /** Since when something has changed that no post of it has told, or may have been on its way too long; never: infinity. */
  untoldSinceMs = Number.POSITIVE_INFINITY;
  /** When a post of it last arrived. */
  toldAtMs = Number.NEGATIVE_INFINITY;
  /** It was stopped, and is not meant to come back. */
  isGone = false;
  readonly #world: HostWorld;
  #waiting: Call[] = [];
  #disturbedAtMs = 0;

  constructor(world: HostWorld, plan: HostPlan) {
    this.#world = world;
    this.plan = plan;
    if (plan.isUpAtFirst) this.process = newProcess();
  }

  get id() {
    return this.plan.id;
  }

  get isUp(): boolean {
    return this.process !== undefined && !this.isHung;
  }

  /** Since when nothing has been done to it, its messages, or what the service wishes of it. */
  get undisturbedSinceMs(): number {
    return this.lateUnderWay > 0 || this.isMistaken ? this.#world.nowMs : this.#disturbedAtMs;
  }

  /** Whether it has posted what its last snapshot had not: nobody can know, unless the room stays below zero. */
  get isMistaken(): boolean {
    return this.process?.forgotten.isMistaken === true;
  }

  disturb(): void {
    this.#disturbedAtMs = this.#world.nowMs;
  }

  /** A new process begins, without rooms; once it listens, it asks whether it is to be active. */
  start(): void {
    this.process = newProcess();
    this.disturb();
    this.ask();
  }

  /** The process ends at once, with all that it held and all that it was sent. */
  crash(): void {
    this.#noteChange();
    this.process = undefined;
    this.isHung = false;
    for (const { reply } of this.#waiting.splice(0)) reply('refused');
    this.disturb();
  }

  hang(): void {
    this.isHung = true;
    this.disturb();
  }

  /** Does what it was sent meanwhile: whoever sent it may have given up long ago. */
  resume(): void {
    this.isHung = false;
    this.disturb();
    const waiting = this.#waiting.splice(0);
    if (this.#world.plan.isLossy && waiting.length > 1 && this.#world.random.chance(0.3))
      waiting.reverse();
    for (const call of waiting) this.#perform(call);
  }

  /** What the service sent it before the service ended is gone with its connections. */
  forgetWaiting(): void {
    this.#waiting = [];
  }

  receive(call: Call): void {
    if (this.isHung) this.#waiting.push(call);
    else this.#perform(call);
  }

  open(room: string): void {
    const { process } = this;
    if (!process || this.isHung) return;
    process.rooms.set(room, (process.rooms.get(room) ?? 0) + 1);
    this.#announce(process, room, 1);
  }

  close(room: string): void {
    const { process } = this;
    const count = process?.rooms.get(room) ?? 0;
    if (!process || this.isHung || count === 0) return;
    if (count === 1) process.rooms.delete(room);
    else process.rooms.set(room, count - 1);
    process.forgotten.close(room, count, () => this.#world.further.chance(0.5));
    this.#announce(process, room, -1);
  }

  /** The only user of a room reloads while the room is being dropped: two posts, and it is forgotten. */
  reload(room: string): void {
    const { process } = this;
    if (!process || this.isHung) return;
    process.forgotten.add(room);
    this.#announce(process, room, -1);
    this.#announce(process, room, 1);
  }

  /** Sends the start-up query, and applies the answer whenever it comes. */
  ask(): void {
    const { process, plan } = this;
    const what = `the start-up query of ${this.id}`;
    const deliver = () => {
      // Without a port it may be anyone's at this address, and is answered as if it were.
      for (const host of this.#world.hosts)
        if (host === this || host.plan.address === plan.address) host.disturb();
      const asker = plan.givesPort ? { port: Number(this.id.split(':')[1]) } : {};
      const isForwarded = this.#world.plan.isProxied;
      this.#world.answerStartup({ address: plan.address, isForwarded, ...asker }, (answer) =>
        this.#tellAnswer(answer, process),
      );
    };
    this.#world.network.carry({ host: this, direction: 'toService', kind: 'query', what, deliver });
  }

  #tellAnswer(answer: StartupAnswer, asking: PubSubProcess | undefined): void {
    const what = `the answer (active: ${answer.active}) to the start-up query of ${this.id}`;
    const reply = () => {
      if (asking === undefined || this.process !== asking || !answer.active) return;
      this.#world.note(() => `${this.id} takes the URL of its start-up answer`);
      this.disturb();
      asking.isActive = true;
      asking.eventsUrl = answer.eventsUrl;
      asking.posts = 0;
      asking.isAstray = true;
    };
    const deliver = () => this.receive({ what, reply });
    this.#world.network.carry({
      host: this,
      direction: 'toServer',
      kind: 'startup',
      what,
      deliver,
    });
  }

  /** The flag, the URL and the snapshot are set and taken in one instant. */
  #perform({ wish, reply }: Call): void {
    const { process } = this;
    if (!process) reply('refused');
    else if (!wish) reply({ status: 200 });
    else reply(this.#obey(process, wish));
  }

  #obey(process: PubSubProcess, wish: NonNullable<Call['wish']>): Reply {
    process.isActive = wish.active;
    process.eventsUrl = wish.eventsUrl;
    process.posts = 0;
    process.isAstray = !this.#world.awaits(this.id, wish.eventsUrl);
    this.#world.note(() => `${this.id} is told to be ${wish.active ? 'active' : 'silent'}`);
    if (!wish.active) return { status: 200 };
    return { status: 200, json: this.#snapshotOf(process) };
  }

  /** Rooms may repeat, be empty while they are stored, or have a name that leaves nothing of them. */
  #snapshotOf({ rooms: held, forgotten }: PubSubProcess): Record<string, number>[] {
    // What it posted since the last one is wrong until this one has come.
    if (forgotten.isMistaken) this.disturb();
    const rooms = forgotten.snapshotOf(held);
    const entries = Array.from(rooms, ([room, count]) => ({ [room]: count }));
    if (!this.#world.extras.chance(0.1)) return entries;
    const parts = [...rooms].flatMap(([room, count]) =>
      count > 1 ? [{ [room]: 1 }, { [room]: count - 1 }] : [{ [room]: count }],
    );
    return [{}, { stored: 0 }, ...parts];
  }

  /** Posts once and for all: what is lost is lost. */
  #announce(process: PubSubProcess, room: string, add: 1 | -1): void {
    const { eventsUrl, isActive } = process;
    this.#noteChange();
    this.#world.note(
      () => `${this.id} ${add > 0 ? 'opens' : 'closes'} "${room}"${isActive ? '' : ' in silence'}`,
    );
    if (!isActive) return;
    this.post(eventsUrl, JSON.stringify({ room, add }), () => {
      if (process.eventsUrl !== eventsUrl) return;
      process.posts += 1;
      // Its first post tells the service.
      if (process.isAstray && process.posts === 1) this.disturb();
    });
  }

  #noteChange(): void {
    this.untoldSinceMs = Math.min(this.untoldSinceMs, this.#world.nowMs);
  }

  /** Posts a body from its address. */
  post(eventsUrl: string, body: string, arrived: () => void = () => {}): void {
    const what = `${body} of ${this.id}`;
    const deliver = () => {
      arrived();
      this.untoldSinceMs = Number.POSITIVE_INFINITY;
      this.toldAtMs = this.#world.nowMs;
      this.#world.takePost(this.plan.address, eventsUrl, body);
    };
    this.#world.network.carry({ host: this, direction: 'toService', kind: 'delta', what, deliver });
  }
}

const newProcess = (): PubSubProcess => ({
  rooms: new Map(),
  forgotten: new ForgottenRooms(),
  isActive: false,
  eventsUrl: '',
  posts: 0,
  isAstray: false,
});
