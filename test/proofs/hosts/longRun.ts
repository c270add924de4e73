import { forkModule } from '../../../server/demo/childProcess.js';
import { createRandom } from '../../../server/demo/random.js';
import { freePort } from '../../../server/demo/serviceChild.js';
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
  const servicePort = await freePort();
  const url = `http://127.0.0.1:${servicePort}`;
  const settings = {
    dashboardUrl: url,
    port: await freePort(),
    controlPort: await freePort(),
    isStoring: seed % 2 === 0,
    pingMs: 500,
  };
  let service = await startServiceProcess(servicePort);
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
        await service.kill();
        run.forgetViewers();
        service = await startServiceProcess(servicePort);
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

/** Starts the service. Resolves when it listens. */
async function startServiceProcess(port: number) {
  const { child, exited, lastWords } = forkModule('serviceProcess', {
    env: {
      HOST: '127.0.0.1',
      PORT: `${port}`,
      PUBSUB_SERVERS: '',
      LOG_LEVEL: 'warn',
      STATE_DIR: 'none',
      LINGER_MS: '50',
      FRAME_INTERVAL_MS: '5',
      PROBE_INTERVAL_MS: '2000',
      RESYNC_INTERVAL_MS: '600000',
      REQUEST_TIMEOUT_MS: '10000',
    },
  });
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    void exited.then(() => reject(new Error(`the service did not start: ${lastWords()}`)));
  });
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  return { kill, lastWords };
}
