/** Random clients of a host. At quiet moments the service must show exactly what the host knows. */

import * as Y from 'yjs';
import { encodeAwareness } from '../../../server/agent/awareness.js';
import { pick, type Random } from '../../../server/demo/random.js';
import { type EventStream, openEventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import type { HostChild } from './hostChild.js';
import type { HostClient, HostKind } from './hostKind.js';

/** What a run needs. The host and the service may be replaced meanwhile. */
export interface RandomRunOptions {
  readonly kind: HostKind;
  readonly random: Random;
  host(): HostChild;
  service(): { url: string };
  /** What else happens now and then, between two stretches of operations. */
  disturbances?: Readonly<Record<string, () => Promise<void>>>;
  /** The share of stretches that are disturbed. Default 0.25. */
  disturbed?: number;
}

/** What a run has done. It throws at the first difference. */
export interface RunFigures {
  readonly operations: Record<string, number>;
  quietMoments: number;
  comparedRooms: number;
  comparedDocuments: number;
}

/** A run. The caller must close it. */
export interface RandomRun {
  readonly figures: RunFigures;
  /** Does this many operations, with a quiet moment after every few. */
  run(operations: number): Promise<void>;
  /** Waits until the host has handled everything, and compares. */
  quietMoment(): Promise<void>;
  /** The connections of a crashed host are gone. */
  forgetClients(): void;
  /** The streams of a crashed service are gone. */
  forgetViewers(): void;
  /** Opens or closes the stream of a viewer. */
  changeViewers(): Promise<void>;
  close(): Promise<void>;
}

interface Member {
  readonly room: string;
  readonly client: HostClient;
}

const maxMembers = 30;
const maxStretch = 20;

export function createRandomRun(options: RandomRunOptions): RandomRun {
  const { kind, random, host, service, disturbances = {}, disturbed = 0.25 } = options;
  const figures: RunFigures = {
    operations: {},
    quietMoments: 0,
    comparedRooms: 0,
    comparedDocuments: 0,
  };
  let members: Member[] = [];
  let frozen: Member[] = [];
  let viewers: EventStream[] = [];
  let edits = 0;

  const operations: Record<string, { weight: number; run(room: string): Promise<void> }> = {
    open: { weight: 36, run: open },
    close: { weight: 14, run: () => leave((client) => client.close()) },
    terminate: { weight: 12, run: () => leave((client) => client.terminate()) },
    freeze: { weight: 2, run: freeze },
    refused: { weight: 5, run: openRefused },
    burst: { weight: 3, run: burst },
    edit: { weight: 14, run: edit },
    tell: { weight: 6, run: tell },
    disconnect: { weight: 3, run: (room) => host().ask('disconnect', room) },
    unload: { weight: 5, run: (room) => host().ask('unload', room) },
  };
  const weighted = Object.entries(operations).flatMap(([name, { weight }]) =>
    Array.from({ length: weight }, () => name),
  );
  return { figures, run, quietMoment, forgetClients, forgetViewers, changeViewers, close };

  async function run(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      const stretch = Math.min(left, 1 + Math.floor(random() * maxStretch));
      left -= stretch;
      const pending = Array.from({ length: stretch }, operate);
      const disturbance = random() < disturbed && pick(random, Object.keys(disturbances));
      if (disturbance) {
        note(disturbance);
        const ended = await Promise.allSettled([disturbances[disturbance]?.(), ...pending]);
        // Operations may fail meanwhile, but not what disturbs them.
        if (ended[0].status === 'rejected') throw ended[0].reason;
      } else {
        await Promise.all(pending);
      }
      await quietMoment();
    }
  }

  function operate(): Promise<void> {
    const name = pick(random, weighted) ?? 'open';
    note(name);
    return operations[name]?.run(pick(random, kind.rooms) ?? '') ?? Promise.resolve();
  }

  function note(name: string): void {
    figures.operations[name] = (figures.operations[name] ?? 0) + 1;
  }

  async function open(room: string): Promise<void> {
    if (members.length >= maxMembers) return leave((client) => client.terminate());
    const client = await kind.connect(host().url, room);
    members.push({ room, client });
  }

  async function openRefused(room: string): Promise<void> {
    const client = await kind.connect(host().url, room, { isRefused: true }).catch(() => undefined);
    if (client) throw new Error('the host did not refuse');
  }

  async function burst(room: string): Promise<void> {
    const clients = Array.from({ length: 4 }, () => kind.connect(host().url, room));
    await Promise.all(clients.map(async (it) => (await it).terminate()));
  }

  function take(): Member | undefined {
    const member = pick(random, members);
    members = members.filter((it) => it !== member);
    return member;
  }

  async function leave(how: (client: HostClient) => Promise<void>): Promise<void> {
    const member = take();
    if (member) await how(member.client);
  }

  async function freeze(): Promise<void> {
    const member = take();
    if (!member) return;
    member.client.freeze();
    frozen.push(member);
  }

  async function edit(): Promise<void> {
    const member = pick(random, members);
    if (!member?.client.isOpen()) return;
    const doc = new Y.Doc();
    edits += 1;
    doc.getMap('edits').set(`${edits}`, random());
    doc.getText('text').insert(0, `${edits} é😀 `);
    member.client.edit(Y.encodeStateAsUpdate(doc));
  }

  async function tell(): Promise<void> {
    const member = pick(random, members);
    if (!member?.client.isOpen()) return;
    const client = Math.floor(random() * 2 ** 32);
    const meta = new Map([[client, { clock: 1 }]]);
    const update = encodeAwareness({ states: new Map([[client, { user: `${client}` }]]), meta });
    if (update) member.client.tell(update);
  }

  async function quietMoment(): Promise<void> {
    if (viewers.length === 0) await changeViewers();
    await eventually(async () => {
      members = members.filter(({ client }) => client.isOpen());
      expectSame('clients', expected(), 'host', sorted(await host().ask('connections')));
    });
    await host().ask('settled');
    // Read again each time: on a busy machine a client may be slow to answer a ping, and is dropped.
    let truth = sorted([]);
    await eventually(async () => {
      truth = sorted(await host().ask('connections'));
      for (const viewer of viewers)
        expectSame('host', truth, 'service', sorted(Object.entries(viewer.rooms())));
    });
    await compareDocument(pick(random, kind.rooms) ?? '');
    for (const { client } of frozen) await client.terminate();
    frozen = [];
    figures.quietMoments += 1;
    figures.comparedRooms += truth.length;
  }

  function expected(): Counts {
    const counts = new Map<string, number>();
    for (const { room } of members) counts.set(room, (counts.get(room) ?? 0) + 1);
    return sorted(counts);
  }

  /** The document through the service, and from the host itself. */
  async function compareDocument(room: string): Promise<void> {
    await eventually(async () => {
      const state = await host().ask('state', room);
      const answer = await fetch(`${service().url}/api/room?room=${encodeURIComponent(room)}`);
      const body = new Uint8Array(await answer.arrayBuffer());
      if (answer.status !== (state === null ? 404 : 200))
        throw new Error(`${room}: ${answer.status}, ${Buffer.from(body)}, in memory: ${!!state}`);
      if (state === null) return;
      const [shown, held] = [contentOf(body), contentOf(Buffer.from(state, 'base64'))];
      if (shown !== held) throw new Error(`${room}: ${shown} is shown, not ${held}`);
      figures.comparedDocuments += 1;
    });
  }

  function forgetClients(): void {
    members = [];
    frozen = [];
  }

  function forgetViewers(): void {
    for (const viewer of viewers) void viewer.close();
    viewers = [];
  }

  async function changeViewers(): Promise<void> {
    const leaving = random() < 0.5 ? viewers.pop() : undefined;
    if (leaving) return leaving.close();
    viewers.push(await openEventStream(service().url));
  }

  async function close(): Promise<void> {
    await Promise.all([...members, ...frozen].map(({ client }) => client.terminate()));
    await Promise.all(viewers.map((viewer) => viewer.close()));
    forgetClients();
    viewers = [];
  }
}

type Counts = readonly (readonly [room: string, connections: number])[];

/** Rooms that have connections, in order. Not an object: a room may be called `__proto__`. */
function sorted(counts: Iterable<readonly [string, number]>): Counts {
  return [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => (a < b ? -1 : 1));
}

function expectSame(nameA: string, a: Counts, nameB: string, b: Counts): void {
  const [textA, textB] = [JSON.stringify(a), JSON.stringify(b)];
  if (textA !== textB) throw new Error(`${nameA}: ${textA}, ${nameB}: ${textB}`);
}

/** The content of a document, the keys in order. */
function contentOf(update: Uint8Array): string {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, update);
  const edits = Object.entries(doc.getMap('edits').toJSON()).sort();
  return JSON.stringify([edits, doc.getText('text').toJSON()]);
}
