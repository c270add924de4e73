/** The child's side of a host process: answers the requests of the test. */

import { hostTimings } from './hostTimings.js';

/** What a test asks of a host. */
export interface HostControl {
  /** The connections of each document, as the server itself knows them. */
  connections(): [room: string, connections: number][];
  /** The document as one update, in base64; null: not in memory. */
  state(room: string): string | null;
  /** Unloads a document without connections. */
  unload(room: string): void;
  /** Closes all connections of a document. */
  disconnect(room: string): void;
  /** Resolves when every post is answered or has failed. */
  settled(): Promise<void>;
  /** Ends the agent and starts another one. */
  restartAgent(): Promise<void>;
  /** Ends everything. The process exits by itself when nothing of it is left. */
  stop(): Promise<void>;
}

export interface HostRequest {
  readonly id: number;
  readonly name: keyof HostControl;
  readonly room: string;
}

export interface HostAnswer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** The settings of a host process: its only argument, as JSON. */
export interface HostSettings {
  /** The module that exports what the host needs of its packages. */
  library: string;
  dashboardUrl: string;
  /** Port of the server. 0: any. */
  port: number;
  /** Port of the agent's control listener. 0: any. */
  controlPort: number;
  /** Whether documents are stored, and unloaded when nobody is connected. */
  isStoring: boolean;
  /** How often the server pings its clients. It closes those that have not answered by the next time. */
  pingMs: number;
  /** After how long a post is given up. Default 60,000 ms. */
  deadlineMs?: number;
}

export const settings: HostSettings = JSON.parse(process.argv[2] ?? '{}');

export const timings = {
  ...hostTimings,
  deadlineMs: settings.deadlineMs ?? hostTimings.deadlineMs,
};

/** Tells the test that the host runs, and answers its requests. */
export function serveControl(control: HostControl, started: { url: string }): void {
  const answer = async ({ id, name, room }: HostRequest): Promise<HostAnswer> => {
    try {
      return { id, result: await control[name](room) };
    } catch (cause) {
      return { id, error: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) };
    }
  };
  process.on('message', (request: HostRequest) => {
    void answer(request).then((said) => {
      process.send?.(said);
      // What is left now keeps the process alive: nothing of the agent may.
      if (request.name === 'stop') process.disconnect();
    });
  });
  // The test may have been killed.
  process.on('disconnect', () => setTimeout(() => process.exit(7), 10_000).unref());
  process.send?.({ started });
}
