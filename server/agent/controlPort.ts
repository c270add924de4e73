import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { causeOf } from './causeOf.js';
import { ControlListener } from './controlListener.js';
import { listenHosts } from './listenHosts.js';
import type { SafeLog } from './safeLog.js';
import { portOf, sharePort } from './sharedPort.js';

/** What the control port needs. */
export interface ControlPortOptions {
  readonly port: number;
  readonly host: string | undefined;
  readonly urls: readonly string[];
  readonly log: SafeLog;
  readonly retryMs: number;
  handle(request: IncomingMessage, response: ServerResponse, answersHealth: boolean): boolean;
  /** The agent can be asked at this port from now on. */
  listening(port: number): void;
}

/** Where the dashboard asks this agent: a listener of its own, or the port of another server. */
export class ControlPort {
  readonly #options: ControlPortOptions;
  readonly #listener: ControlListener;
  #unshare: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: ControlPortOptions) {
    this.#options = options;
    this.#listener = new ControlListener((request, response) =>
      options.handle(request, response, true),
    );
  }

  /** Resolves with the port. 0: it is not to be had; retries. */
  async open(server: Server | undefined): Promise<number> {
    if (!server) return this.#listen();
    this.#unshare = sharePort(server, (...exchange) => this.#options.handle(...exchange));
    const port = await portOf(server);
    if (!this.#isClosed) this.#options.listening(port);
    return port;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#unshare?.();
    this.#listener.close();
  }

  async #listen(): Promise<number> {
    const { port, host, urls, log, listening, retryMs } = this.#options;
    const hosts = host === undefined ? listenHosts(urls) : [host];
    try {
      const actual = await this.#listener.listen(port, hosts);
      if (this.#isClosed) this.#listener.close();
      else listening(actual);
      return actual;
    } catch (cause) {
      log.warn(`pubsub-dashboard: the agent cannot listen, and retries: ${causeOf(cause)}`);
      if (!this.#isClosed) this.#timer = setTimeout(() => void this.#listen(), retryMs).unref();
      return 0;
    }
  }
}
