import { freePort } from '../../../server/demo/serviceChild.js';
import { type Comparison, openComparison } from './comparison.js';
import { type CrashingService, startCrashingService } from './crashingService.js';
import type { HocuspocusHostOptions, HocuspocusReady } from './hocuspocusHost.js';
import { type HostProcess, startHost } from './hostProcess.js';
import { hostTimings } from './hostTimings.js';
import { installHost } from './install.js';

/** A Hocuspocus server and the service, each in a process that can crash, and a viewer. `end` ends them. */
export class HocuspocusStage {
  readonly comparison: Comparison;
  readonly #service: CrashingService;
  readonly #options: HocuspocusHostOptions;
  #host: HostProcess<HocuspocusReady>;
  /** Of the hosts that are gone. */
  readonly #rejections: string[] = [];

  private constructor(
    service: CrashingService,
    comparison: Comparison,
    options: HocuspocusHostOptions,
    host: HostProcess<HocuspocusReady>,
  ) {
    this.#service = service;
    this.comparison = comparison;
    this.#options = options;
    this.#host = host;
  }

  static async start(version: number): Promise<HocuspocusStage> {
    const folder = `hocuspocus-${version}`;
    await installHost(folder);
    const service = await startCrashingService();
    const { url } = service;
    const comparison = await openComparison(url, () => service.kill());
    // A server that starts while nobody looks is not asked again to confirm its first snapshot.
    await comparison.unwatch();
    // The same ports after a crash: for the service it is the same server.
    const [port, controlPort] = [await freePort(), await freePort()];
    const options = {
      folder,
      port,
      dashboard: { url, port: controlPort },
      timings: hostTimings,
    };
    const host = await startHost<HocuspocusReady>('hocuspocusHost', options);
    const stage = new HocuspocusStage(service, comparison, options, host);
    try {
      await comparison.untilServer('silent');
      await comparison.watch();
    } catch (cause) {
      await stage.end();
      throw cause;
    }
    return stage;
  }

  /** The present host. */
  get host(): HostProcess<HocuspocusReady> {
    return this.#host;
  }

  /** What happens to a fleet, by name. */
  readonly disturbances: Readonly<Record<string, () => Promise<void>>> = {
    /** The last viewer leaves, and one returns. */
    viewersAway: async () => {
      await this.comparison.unwatch();
      await this.comparison.watch();
    },
    viewersChanged: () => this.#changeViewer(() => this.comparison.watch()),
    agentRestarted: () => this.#host.ask('restartAgent'),
    hostCrashed: async () => {
      this.#rejections.push(...(await this.#host.ask<string[]>('rejections')));
      await this.#host.kill();
      this.#host = await startHost<HocuspocusReady>('hocuspocusHost', this.#options);
    },
    serviceCrashed: () =>
      this.#changeViewer(async () => {
        await this.#service.restart();
        await this.comparison.watch();
      }),
  };

  /** Rejections in all hosts that no fault of the run caused. */
  async rejections(): Promise<string[]> {
    return [...this.#rejections, ...(await this.#host.ask<string[]>('rejections'))];
  }

  /** What both have written last. */
  lastWords(): string {
    return `${this.#host.output()}\n${this.#service.lastWords()}`;
  }

  async end(): Promise<void> {
    await this.#host.kill();
    await this.comparison.end();
  }

  /** The old viewer is there until the new one is. */
  async #changeViewer(change: () => Promise<void>): Promise<void> {
    const { viewer } = this.comparison;
    await change();
    await viewer.close();
  }
}
