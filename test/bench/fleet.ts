import { type BenchChild, startChild } from './children.js';
import { startService, stateOf } from './stage.js';
import { until } from './within.js';

export interface FleetSize {
  servers: number;
  /** Of these so many hang from their activation on. */
  hung: number;
  rooms: number;
}

/** Many pub-sub servers in one process. */
export type Fleet = BenchChild<{ ports: number[] }>;

export const startFleet = (size: FleetSize): Promise<Fleet> =>
  startChild<{ ports: number[] }>('./fleetProcess', { options: size });

/** Starts a service that knows a fleet, and has told all of it to be silent. */
export async function startServiceOf(
  fleet: Fleet,
  env: Record<string, string>,
  node: string[] = [],
) {
  const servers = fleet.ready.ports.map((port) => `127.0.0.1:${port}`);
  const service = await startService(servers, { RESYNC_INTERVAL_MS: '3600000', ...env }, node);
  await untilInactive(service);
  return service;
}

export const untilInactive = (service: BenchChild<{ url: string }>, waitMs = 2) =>
  until(
    'the service is inactive',
    async () => (await stateOf(service)).state === 'inactive',
    waitMs,
  );

/** What viewers are to end with: two connections in each room of those that answer. */
export function contentOf({ servers, hung, rooms }: FleetSize) {
  const all = (servers - hung) * rooms;
  return { rooms: all, connections: 2 * all };
}
