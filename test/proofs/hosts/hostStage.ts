/** Starts hosts and services for one test. All of them end when it is over. */

import { expect } from '@jest/globals';
import { createRandom } from '../../../server/demo/random.js';
import { freePort } from '../../../server/demo/serviceChild.js';
import { eventually } from '../../support/eventually.js';
import { calm, owns, startStaged, visits, watchMaps } from '../../support/stage.js';
import type { HostChild } from './hostChild.js';
import type { HostSettings } from './hostControl.js';
import type { HostClient, HostKind } from './hostKind.js';
import { createRandomRun, type RunFigures } from './randomRun.js';
import { startHost } from './startHost.js';

/** A service without a resync, a host of this kind that reports to it, and a viewer. */
export async function startHosted(kind: HostKind, settings: Partial<HostSettings> = {}) {
  const service = await startStaged([], calm);
  const host = await startOwned(kind, { dashboardUrl: service.url, ...settings });
  const viewer = await watchMaps(service);
  const connect = async (room: string): Promise<HostClient> =>
    visits(await kind.connect(host.url, room), (client) => client.terminate());
  /** Resolves when the viewer sees exactly these rooms. */
  const untilShown = (rooms: Record<string, number>) =>
    eventually(() => expect(viewer.rooms()).toEqual(rooms));
  return { service, host, connect, untilShown };
}

async function startOwned(
  kind: HostKind,
  settings: { dashboardUrl: string } & Partial<HostSettings>,
): Promise<HostChild> {
  return owns(await startHost(kind, settings), (host) => host.kill());
}

/**
 * Runs random operations on a host. The service has no resync, so that only what the host reports can
 * make it right. Agents restart, the host crashes, and viewers come and go.
 */
export async function runAtRandom(
  kind: HostKind,
  { seed, operations, isStoring }: { seed: number; operations: number; isStoring: boolean },
): Promise<RunFigures> {
  const service = await startStaged([], calm);
  const [port, controlPort] = [await freePort(), await freePort()];
  const settings = { dashboardUrl: service.url, port, controlPort, isStoring, pingMs: 500 };
  let host = await startOwned(kind, settings);
  const run = createRandomRun({
    kind,
    random: createRandom(seed),
    host: () => host,
    service: () => service,
    disturbances: {
      viewers: () => run.changeViewers(),
      agentRestarted: () => host.ask('restartAgent'),
      hostCrashed: async () => {
        await host.kill();
        run.forgetClients();
        host = await startOwned(kind, settings);
      },
    },
  });
  visits(run, (it) => it.close());
  await run.run(operations);
  return run.figures;
}

/** A seed of its own for each run of the tests, unless `SEED` repeats one. */
export const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
