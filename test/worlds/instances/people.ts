import type { Frame } from '../../../server/sse/frames.js';
import type { InstancesWorld } from './instancesWorld.js';
import { Person, StreamEnd, textOf } from './person.js';
import type { Site } from './site.js';

/** As `server/sse/retry.ts` says while other instances are there. */
const retryMs = { min: 1000, max: 3000 };
const maxPeople = 6;

/** All that look, at whatever instance: they come, leave, and come back. */
export class People {
  readonly #world: InstancesWorld;
  /** Those that look, or try to. */
  readonly present: Person[] = [];
  readonly #departed: Person[] = [];
  readonly #streams = new Map<Person, StreamEnd>();
  /** Those that will try again. */
  readonly #waiting = new Set<Person>();
  #names = 0;

  constructor(world: InstancesWorld) {
    this.#world = world;
  }

  /** Somebody new, or somebody who comes back. */
  come(): void {
    if (this.present.length >= maxPeople) return;
    const { random } = this.#world;
    const isReturning = this.#departed.length > 0 && random.chance(0.4);
    const person = isReturning ? this.#departed.pop() : this.#newPerson();
    if (!person) return;
    person.hasLeft = false;
    this.present.push(person);
    this.#connect(person);
  }

  leave(person = this.#world.random.pick(this.present)): void {
    if (!person) return;
    this.present.splice(this.present.indexOf(person), 1);
    this.#departed.push(person);
    person.hasLeft = true;
    this.#world.note(() => `${person.name} leaves`);
    this.#hangUp(person);
  }

  /** Goes to another instance: the balancer has closed its connection. */
  move(): void {
    const person = this.#world.random.pick(this.present.filter(({ site }) => site));
    if (!person) return;
    this.#world.note(() => `${person.name} is moved`);
    this.#hangUp(person);
    this.#connectLater(person);
  }

  /** Those whose stream comes from an instance that runs, over a link that is whole. */
  get attached(): Person[] {
    const { links } = this.#world;
    return this.present.filter(
      ({ site, read }) => read > 0 && site?.isRunning && links.isOpen(site.name, 'viewers'),
    );
  }

  #newPerson(): Person {
    this.#names += 1;
    const kind = this.#world.random.chance(0.15) ? 'rooms' : 'changes';
    return new Person(this.#world, `p${this.#names}`, kind);
  }

  #connect(person: Person): void {
    const { balancer, links } = this.#world;
    const site = balancer.pick();
    if (person.hasLeft || person.site) return;
    if (!site) {
      this.#connectLater(person);
      return;
    }
    const { process } = site;
    const what = `the request of ${person.name} to ${site.name}`;
    const lost = () => this.#connectLater(person);
    const deliver = () => {
      if (person.hasLeft || person.site) return;
      if (site.process !== process || !process) return lost();
      person.attach(site);
      this.#attach(person, site, process);
    };
    links.carry({ from: 'viewers', to: site.name, what, deliver, lost });
    // Nobody waits for ever for an answer.
    this.#world.later(5000, lost);
  }

  #attach(person: Person, site: Site, process: NonNullable<Site['process']>): void {
    const { links, time } = this.#world;
    const lastEventId = person.kind === 'changes' ? person.lastEventId : undefined;
    this.#world.note(() => `${person.name} (${person.kind}) comes to ${site.name}: ${lastEventId}`);
    const isHere = () => this.#streams.get(person) === stream;
    const sent = (frame: Frame) =>
      time.outside(() =>
        links.carryInOrder(stream, site.name, 'viewers', () => {
          if (isHere()) person.take(textOf(frame));
        }),
      );
    const ended = () =>
      time.outside(() =>
        links.carryInOrder(stream, site.name, 'viewers', () => isHere() && this.#lose(person)),
      );
    const stream = new StreamEnd(sent, ended);
    this.#streams.set(person, stream);
    process.clock.run(() => {
      if (isHere()) process.admit(stream, person.kind, lastEventId);
    });
    process.streams.add(stream);
  }

  /** Its stream has ended. */
  #lose(person: Person): void {
    this.#streams.delete(person);
    person.detach();
    this.#world.note(() => `${person.name} lost its stream`);
    this.#connectLater(person);
  }

  #hangUp(person: Person): void {
    const stream = this.#streams.get(person);
    this.#streams.delete(person);
    const { process } = person.site ?? {};
    person.detach();
    if (!stream || !process) return;
    process.streams.delete(stream);
    process.clock.run(() => process.dismiss(stream));
  }

  #connectLater(person: Person): void {
    if (person.hasLeft || person.site || this.#waiting.has(person)) return;
    this.#waiting.add(person);
    this.#world.later(this.#world.random.between(retryMs.min, retryMs.max), () => {
      this.#waiting.delete(person);
      this.#connect(person);
    });
  }
}
