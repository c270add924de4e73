import { createRandom } from '../../../server/demo/random.js';
import { freePort } from '../../../server/demo/serviceChild.js';
import { startCrashingService } from './crashingService.js';
import type { HostKind } from './hostKind.js';
import type { HostRunFigures, HostRunOptions } from './hostRun.js';
import { createRandomRun } from './randomRun.js';
import { startHost } from './startHost.js';

/**
 * Random operations on a host of this kind, seen through a service in a process of its own, without a
 * resync. Service and host crash, agents restart, viewers come and go. Ends at the first difference.
 */
export async function runLong(
  kind: HostKind,
  { operations, seed }: HostRunOptions,
): Promise<HostRunFigures> {
  const service = await startCrashingService();
  const { url } = service;
  const settings = {
    dashboardUrl: url,
    port: await freePort(),
    controlPort: await freePort(),
    isStoring: seed % 2 === 0,
    pingMs: 500,
  };
  let host = await startHost(kind, settings);
  const run = createRandomRun({
    kind,
    random: createRandom(seed),
    host: () => host,
    service: () => ({ url }),
    disturbed: 0.1,
    disturbances: {
      viewers: () => run.changeViewers(),
      agentRestarted: () => host.ask('restartAgent'),
      hostCrashed: async () => {
        await host.kill();
        run.forgetClients();
        host = await startHost(kind, settings);
      },
      serviceCrashed: async () => {
        await service.restart();
        run.forgetViewers();
      },
    },
  });
  const differences: string[] = [];
  try {
    await run.run(operations);
  } catch (cause) {
    differences.push(`${(cause as Error).stack}\n${host.output()}\n${service.lastWords()}`);
  }
  await run.close();
  await host.kill();
  await service.kill();
  const { quietMoments, comparedRooms, comparedDocuments, operations: kinds } = run.figures;
  return {
    host: kind.name,
    seed,
    operations,
    checks: quietMoments,
    counts: comparedRooms,
    states: comparedDocuments,
    differences,
    rejections: [],
    kinds,
  };
}
