import type { ServerId } from '../../../machines/ports.js';
import type { DiscoverySource } from '../../../server/discovery/discoverySource.js';

/** A source that answers when the test says so. */
export interface ScriptedSource extends DiscoverySource {
  /** How often it was asked. */
  asked: number;
  /** The signal of the last time. */
  signal: AbortSignal | undefined;
  isClosed: boolean;
  /** Answers the oldest question that waits, and lets the answer arrive. */
  answer(...servers: string[]): Promise<void>;
  fail(message: string): Promise<void>;
}

export function scriptedSource(name: string): ScriptedSource {
  const waiting: Array<{ resolve: (ids: ServerId[]) => void; reject: (error: Error) => void }> = [];
  const next = () => {
    const question = waiting.shift();
    if (!question) throw new Error(`${name} is not being asked`);
    return question;
  };
  return {
    name,
    asked: 0,
    signal: undefined,
    isClosed: false,
    discover(signal) {
      this.asked += 1;
      this.signal = signal;
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    async answer(...servers) {
      next().resolve(servers as ServerId[]);
      await arrival();
    },
    async fail(message) {
      next().reject(new Error(message));
      await arrival();
    },
    close() {
      this.isClosed = true;
    },
  };
}

/** Lets every promise that is settled be heard. */
export async function arrival(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
}
