import { setTimeout } from 'node:timers/promises';
import { Doc, encodeStateAsUpdate } from 'yjs';
import { createRandom, pick, type Random } from '../../../server/demo/random.js';
import type { Counts } from './comparison.js';
import type { Fault, Hook, Place } from './faults.js';
import { HocuspocusClient } from './hocuspocusClient.js';
import { HocuspocusStage } from './hocuspocusStage.js';
import type { HostRunFigures, HostRunOptions } from './hostRun.js';

const rooms = ['a', 'b c', 'd/é', 'e=f?g', '100%', 'notes'];
const places: readonly Place[] = ['early', 'late'];
const faultyHooks: readonly Hook[] = [
  'onConnect',
  'onAuthenticate',
  'onLoadDocument',
  'afterLoadDocument',
  'connected',
  'beforeHandleMessage',
  'onStoreDocument',
  'afterStoreDocument',
  'onDisconnect',
  'beforeUnloadDocument',
  'afterUnloadDocument',
];

const late = () => setTimeout(5_000, 'late' as const, { ref: false });

/**
 * Random openings, closings and faults on a Hocuspocus server of this version, seen through the service.
 * In the second half service and host crash, agents restart, and viewers come and go.
 */
export async function runHocuspocus(version: number, options: HostRunOptions) {
  const stage = await HocuspocusStage.start(version);
  try {
    return await new HocuspocusRun({ version, options, stage }).go();
  } finally {
    await stage.end();
  }
}

interface RunParts {
  version: number;
  options: HostRunOptions;
  stage: HocuspocusStage;
}

/** Operations between two disturbances of a long run. In a short one there is each of them once. */
const calmOperations = 100;

class HocuspocusRun {
  readonly #parts: RunParts;
  readonly #random: Random;
  readonly #clients = new Set<HocuspocusClient>();
  readonly #withSessions = new WeakSet<HocuspocusClient>();
  readonly #directs = new Set<number>();
  readonly #pending = new Set<Promise<unknown>>();
  readonly #startedAt = performance.now();
  readonly #kinds: Record<string, number> = {};
  readonly #differences: string[] = [];
  #operations = 0;
  #checks = 0;
  #counts = 0;
  #states = 0;
  #snapshots: string[] = [];
  #epoch: number | null = null;
  #disturbances = 0;
  /** The present one, until the next quiet moment. */
  #disturbance: Promise<void> | undefined;

  constructor(parts: RunParts) {
    this.#parts = parts;
    this.#random = createRandom(parts.options.seed);
  }

  async go(): Promise<HostRunFigures> {
    try {
      await this.#run();
    } catch (cause) {
      this.#note(`${(cause as Error).stack}\n${this.#parts.stage.lastWords()}`);
    }
    return this.#figures();
  }

  async #run(): Promise<void> {
    const { operations } = this.#parts.options;
    await this.#compare();
    this.#snapshots = [];
    while (this.#operations < operations) {
      const batch = Math.min(1 + Math.floor(this.#random() * 24), operations - this.#operations);
      const disturbedAt = this.#isDue() ? Math.floor(this.#random() * batch) : undefined;
      for (let i = 0; i < batch; i += 1) {
        if (i === disturbedAt) this.#disturb();
        await this.#operate();
      }
      await this.#quiet();
      await this.#compare();
    }
  }

  async #figures(): Promise<HostRunFigures> {
    const { version, options, stage } = this.#parts;
    return {
      host: `hocuspocus-${version}`,
      seed: options.seed,
      operations: this.#operations,
      checks: this.#checks,
      counts: this.#counts,
      states: this.#states,
      differences: this.#differences,
      snapshots: this.#snapshots,
      rejections: await stage.rejections(),
      kinds: this.#kinds,
    };
  }

  /** One operation. Most are not waited for, so that they overlap. */
  async #operate(): Promise<void> {
    const [kind, operation] = this.#choose();
    this.#operations += 1;
    this.#did(kind);
    const done = operation();
    this.#pending.add(done);
    void done.finally(() => this.#pending.delete(done)).catch(() => undefined);
    // Sometimes the next one comes in the same turn, sometimes after this one, sometimes in between.
    const chance = this.#random();
    // Operations may fail while something is restarted.
    if (chance < 0.3) await (this.#disturbance ? done.catch(() => undefined) : done);
    else if (chance < 0.6) await setTimeout(chance * 10);
  }

  #choose(): [kind: string, operation: () => Promise<unknown>] {
    const open = [...this.#clients].filter(({ isOpen }) => isOpen);
    const client = pick(this.#random, open);
    const room = pick(this.#random, rooms) ?? '';
    const chance = this.#random();
    if (!client || (open.length < 14 && chance < 0.18)) return ['open', () => this.#open(room)];
    if (chance < 0.3) return ['join', () => this.#join(client, room)];
    if (chance < 0.36) return ['leave', async () => this.#leave(client)];
    if (chance < 0.44) return ['close', () => this.#end(client, 'close')];
    if (chance < 0.52) return ['terminate', () => this.#end(client, 'terminate')];
    if (chance < 0.57) return ['refused', () => this.#open(room, 'refuse')];
    if (chance < 0.63) return ['terminateWhileJoining', () => this.#terminateWhileJoining(room)];
    if (chance < 0.75) return ['edit', async () => this.#edit(client)];
    if (chance < 0.88) return ['fault', () => this.#fault()];
    if (chance < 0.91)
      return ['closeConnections', () => this.#parts.stage.host.ask('closeConnections', room)];
    if (chance < 0.97) return ['direct', () => this.#direct(room)];
    return ['edit', async () => this.#edit(client)];
  }

  async #open(room: string, token?: string): Promise<HocuspocusClient> {
    const client = await HocuspocusClient.open(this.#parts.stage.host.ready.port);
    this.#clients.add(client);
    void client.closed.then(() => this.#clients.delete(client));
    // Version 4 takes a socket's messages for a document without a session, if there is one.
    if (this.#parts.version >= 4 && this.#random() < 0.5) this.#withSessions.add(client);
    await this.#join(client, room, token);
    return client;
  }

  /** Another document on the same socket; with sessions also the same document once more. */
  async #join(client: HocuspocusClient, room: string, wanted?: string): Promise<void> {
    const session = `\0${Math.floor(this.#random() * 1e6)}`;
    const address = this.#withSessions.has(client) ? room + session : room;
    const token = wanted ?? (this.#random() < 0.2 ? `slow ${this.#ms()}` : 'ok');
    if (client.used.has(address)) return;
    const joined = client.join(address, token);
    if ((await Promise.race([joined, late()])) !== 'late') return;
    // Some races make Hocuspocus forget a client: it is counted or not, as its map says.
    this.#did('unanswered');
    await client.terminate();
  }

  #leave(client: HocuspocusClient): void {
    const address = pick(this.#random, [...client.joined]);
    if (address !== undefined) client.leave(address);
  }

  async #end(client: HocuspocusClient, way: 'close' | 'terminate'): Promise<void> {
    this.#clients.delete(client);
    await client[way]();
  }

  /** Between its authentication and its connection to the document, or a little before or after. */
  async #terminateWhileJoining(room: string): Promise<void> {
    const client = await HocuspocusClient.open(this.#parts.stage.host.ready.port);
    const joined = client.join(room, this.#random() < 0.5 ? `slow ${this.#ms()}` : 'ok');
    if (this.#random() < 0.8) await setTimeout(this.#ms());
    await client.terminate();
    await joined;
  }

  #edit(client: HocuspocusClient): void {
    const address = pick(this.#random, [...client.joined]);
    if (address === undefined) return;
    const doc = new Doc();
    doc.clientID = Math.floor(this.#random() * 2 ** 32);
    doc.getText('text').insert(0, `${this.#operations} `);
    client.update(address, encodeStateAsUpdate(doc));
  }

  #fault(): Promise<unknown> {
    const hook = pick(this.#random, faultyHooks) ?? 'connected';
    const isThrown = this.#random() < 0.5;
    const fault: Fault = { ms: isThrown && this.#random() < 0.5 ? 0 : this.#ms(), isThrown };
    return this.#parts.stage.host.ask('fault', pick(this.#random, places), hook, fault);
  }

  async #direct(room: string): Promise<void> {
    const { host } = this.#parts.stage;
    const id = pick(this.#random, [...this.#directs]);
    // A document whose load fails has no direct connection either, and a store that fails rejects.
    const quietly = (asked: Promise<unknown>) => asked.catch(() => undefined);
    if (id === undefined || this.#random() < 0.4) {
      const opened = await quietly(host.ask<number>('openDirect', room));
      if (typeof opened === 'number') this.#directs.add(opened);
    } else if (this.#random() < 0.5) {
      await quietly(host.ask('editDirect', id, 'direct '));
    } else {
      this.#directs.delete(id);
      await quietly(host.ask('closeDirect', id));
    }
  }

  /** Not before the second half: a late post to a silenced server is followed by another snapshot. */
  #isDue(): boolean {
    const half = this.#parts.options.operations / 2;
    const between = Math.min(calmOperations, half / (this.#names.length + 1));
    return this.#operations >= half + this.#disturbances * between;
  }

  /** The next of the disturbances, while operations go on. */
  #disturb(): void {
    const name = this.#names[this.#disturbances % this.#names.length] ?? '';
    this.#disturbances += 1;
    this.#did(name);
    this.#disturbance = this.#parts.stage.disturbances[name]?.();
    // It is awaited at the quiet moment.
    this.#disturbance?.catch(() => undefined);
    // Their ids are those of the host that is gone.
    if (name === 'hostCrashed') this.#directs.clear();
  }

  async #quiet(): Promise<void> {
    await this.#disturbance;
    this.#disturbance = undefined;
    await Promise.allSettled(this.#pending);
    await this.#parts.stage.host.ask('clearFaults');
  }

  async #compare(): Promise<void> {
    const { comparison, host } = this.#parts.stage;
    const { epoch } = await comparison.untilLive();
    this.#checks += 1;
    this.#note(await comparison.difference(() => host.ask<Counts>('counts')));
    this.#counts += Object.keys(comparison.shown()).length;
    const room = pick(this.#random, await host.ask<string[]>('loaded'));
    if (room !== undefined) {
      this.#states += 1;
      this.#note(await comparison.stateDifference(room, () => host.ask('state', room)));
    }
    if (this.#disturbances === 0 && epoch !== this.#epoch)
      this.#snapshots.push(`after ${this.#operations} operations, ${this.#seconds()} s`);
    this.#epoch = epoch;
  }

  #note(difference: string | undefined): void {
    if (difference !== undefined)
      this.#differences.push(`after ${this.#operations} operations: ${difference}`);
  }

  #did(kind: string): void {
    this.#kinds[kind] = (this.#kinds[kind] ?? 0) + 1;
  }

  get #names(): string[] {
    return Object.keys(this.#parts.stage.disturbances);
  }

  #seconds(): number {
    return Math.round((performance.now() - this.#startedAt) / 1000);
  }

  #ms(): number {
    return Math.floor(this.#random() * 25);
  }
}
