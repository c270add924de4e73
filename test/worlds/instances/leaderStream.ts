import type { Leader } from '../../../machines/ports.js';
import { MessageReader } from '../../../server/cluster/relay/messageReader.js';
import type {
  OpenUpstream,
  Upstream,
  UpstreamEvents,
} from '../../../server/cluster/relay/upstream.js';
import type { Frame } from '../../../server/sse/frames.js';
import type { InstancesWorld } from './instancesWorld.js';
import { StreamEnd } from './person.js';
import type { SimulatedInstance } from './simulatedInstance.js';

/** The leader sends a beat at least so often, so after this time without anything its stream is given up. */
const idleMs = 3000;

/** The leader's stream over a link of the world, in place of HTTP. */
export function leaderStream(
  world: InstancesWorld,
  reader: SimulatedInstance,
  leader: Leader,
): Upstream {
  return {
    term: leader.term,
    open: (events, lastEventId) => new LeaderStream(world, reader, leader, events, lastEventId),
  };
}

export class LeaderStream implements OpenUpstream {
  readonly #world: InstancesWorld;
  readonly #reader: SimulatedInstance;
  readonly #leader: Leader;
  readonly #events: UpstreamEvents;
  readonly #stream: StreamEnd;
  readonly #reading: MessageReader;
  #idle: number | undefined;
  #hasEnded = false;

  constructor(
    world: InstancesWorld,
    reader: SimulatedInstance,
    leader: Leader,
    events: UpstreamEvents,
    lastEventId: string | undefined,
  ) {
    this.#world = world;
    this.#reader = reader;
    this.#leader = leader;
    this.#events = events;
    const toReader = (happen: () => void) => this.#toReader(happen);
    this.#stream = new StreamEnd(
      (frame) => toReader(() => this.#take(frame)),
      () => toReader(() => this.#end('the leader ended it')),
    );
    this.#reading = new MessageReader((message) => {
      if (this.#hasEnded) return;
      if (message.name === 'beat') events.onBeat(JSON.parse(String(message.data)).term);
      else events.onEvent(message);
    });
    reader.upstreams.add(this);
    this.#touch();
    world.time.outside(() => this.#connect(lastEventId));
  }

  close(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#reader.clock.clearTimeout(this.#idle);
    this.#reader.upstreams.delete(this);
    this.hangUp();
  }

  /** Both processes may be others by the time that something arrives. */
  #connect(lastEventId: string | undefined): void {
    const { links } = this.#world;
    const site = this.#world.siteAt(this.#leader.url);
    if (!site) return;
    const { name } = this.#reader;
    const what = `the request of ${name} for the stream of ${site.name}`;
    const lost = () => this.#reader.clock.run(() => this.#end('refused'));
    const deliver = () => {
      const { process } = site;
      // The connection was closed before its request arrived.
      if (this.#hasEnded || this.#reader.clock.hasEnded) return;
      if (process?.id !== this.#leader.instance) return this.#toReader(() => this.#end('refused'));
      process.peers.add(this.#stream);
      process.clock.run(() => process.serve(this.#stream, lastEventId));
    };
    links.carry({ from: this.#reader.site.name, to: site.name, what, deliver, lost });
  }

  /** The leader learns of it, unless the link is cut. */
  hangUp(): void {
    const { links, time } = this.#world;
    const site = this.#world.siteAt(this.#leader.url);
    if (!site) return;
    time.outside(() =>
      links.carryInOrder(this, this.#reader.site.name, site.name, () => {
        const { process } = site;
        if (!process?.peers.delete(this.#stream)) return;
        process.clock.run(() => process.stopServing(this.#stream));
      }),
    );
  }

  #toReader(happen: () => void): void {
    const site = this.#world.siteAt(this.#leader.url);
    const { site: own, clock } = this.#reader;
    this.#world.time.outside(() =>
      this.#world.links.carryInOrder(this.#stream, site?.name ?? '', own.name, () =>
        clock.run(() => {
          if (!this.#hasEnded) happen();
        }),
      ),
    );
  }

  #take(frame: Frame): void {
    this.#touch();
    this.#events.onProgress();
    for (const part of Buffer.isBuffer(frame) ? [frame] : frame) this.#reading.push(part);
  }

  #touch(): void {
    const { clock } = this.#reader;
    clock.clearTimeout(this.#idle);
    this.#idle = clock.setTimeout(() => this.#end('nothing arrived'), idleMs);
  }

  #end(cause: string): void {
    if (this.#hasEnded) return;
    this.close();
    this.#events.onEnd(cause);
  }
}
