import { isDeepStrictEqual } from 'node:util';
import { applyUpdate, Doc, encodeStateAsUpdate } from 'yjs';
import type { Service } from '../../../server/service.js';
import { type EventStream, openEventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { startTestService } from '../../support/service.js';

/** The real service, with nothing that heals a wrong count by time, and what it is compared with. */
export interface Comparison {
  readonly url: string;
  readonly viewer: EventStream;
  /** The connections by room that the service shows. */
  shown(): Record<string, number>;
  /** The row of the only server, once it is in this state. */
  untilServer(state: string): Promise<ServerRow>;
  untilLive(): Promise<ServerRow>;
  server(): Promise<ServerRow | undefined>;
  /** The viewer leaves, and the service tells the servers to be silent. */
  unwatch(): Promise<void>;
  watch(): Promise<void>;
  /** Resolves when the service shows what the server counts; with the difference if it never does. */
  difference(counts: () => Promise<Counts>): Promise<string | undefined>;
  /** The same for the document of a room; `state` is its update in base64, null if it is not in memory. */
  stateDifference(room: string, state: () => Promise<string | null>): Promise<string | undefined>;
  end(): Promise<void>;
}

/** Rooms with their connections. */
export type Counts = [room: string, connections: number][];

export interface ServerRow {
  id: string;
  state: string;
  epoch: number | null;
}

const env = {
  PUBSUB_NETWORKS: '127.0.0.0/8,::1',
  LINGER_MS: '10',
  FRAME_INTERVAL_MS: '5',
  REQUEST_TIMEOUT_MS: '20000',
  PROBE_INTERVAL_MS: '60000',
  RESYNC_INTERVAL_MS: '600000',
};

/** Starts the service with a viewer. The caller ends it. Works outside of Jest too. */
export async function startComparison(more: Record<string, string> = {}): Promise<Comparison> {
  const service: Service = await startTestService({ ...env, ...more });
  return openComparison(service.url, () => service.stop());
}

/** A viewer of the service at this URL. The caller ends it, and with it the service by `stop`. */
export async function openComparison(url: string, stop: () => Promise<void>): Promise<Comparison> {
  const open = () => openEventStream(url, { path: '/api/events?stream=changes' });
  let viewer = await open();
  const json = async <T>(path: string) => (await (await fetch(`${url}${path}`)).json()) as T;
  const server = async () => (await json<ServerRow[]>('/api/servers'))[0];
  const untilServer = (state: string) =>
    eventually(async () => {
      const row = await server();
      if (row?.state !== state) throw new Error(`the server is ${row?.state ?? 'unknown'}`);
      return row;
    });
  const shown = () => viewer.rooms();
  return {
    url,
    get viewer() {
      return viewer;
    },
    shown,
    server,
    untilServer,
    untilLive: () => untilServer('live'),
    unwatch: async () => {
      await viewer.close();
      await eventually(async () => {
        const { state } = await json<{ state: string }>('/api/state');
        if (state !== 'inactive') throw new Error(`the service is ${state}`);
      });
    },
    watch: async () => {
      viewer = await open();
    },
    difference: (counts) =>
      differenceOf(async () => {
        const expected = Object.fromEntries(await counts());
        if (!isDeepStrictEqual(shown(), expected))
          throw new Error(
            `shown ${JSON.stringify(shown())}, on the server ${JSON.stringify(expected)}`,
          );
      }),
    stateDifference: (room, state) =>
      differenceOf(async () => {
        const answer = await fetch(`${url}/api/room?room=${encodeURIComponent(room)}`);
        const bytes = Buffer.from(await answer.arrayBuffer());
        const expected = await state();
        if (expected === null && answer.status === 404) return;
        if (expected === null || answer.status !== 200)
          throw new Error(`"${room}" is ${answer.status}, and ${expected ? '' : 'not '}in memory`);
        if (!isSame(bytes, Buffer.from(expected, 'base64')))
          throw new Error(`"${room}" is another document`);
      }),
    end: async () => {
      await viewer.close();
      await stop();
    },
  };
}

async function differenceOf(compare: () => Promise<void>): Promise<string | undefined> {
  try {
    await eventually(compare);
    return undefined;
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}

/** Whether two updates make the same document; their bytes may differ. */
function isSame(...updates: readonly Uint8Array[]): boolean {
  const [one, other] = updates.map((update) => {
    const doc = new Doc();
    applyUpdate(doc, update);
    return Buffer.from(encodeStateAsUpdate(doc));
  });
  return one !== undefined && other !== undefined && one.equals(other);
}
