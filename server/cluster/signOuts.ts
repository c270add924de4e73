import type { ClusterConnection } from './connect.js';
import { clusterKeys } from './keys.js';
import { readScript, runScript } from './scripts.js';

/** A session that signed out. */
export interface SignedOut {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface SignOutsNeeds {
  readonly connection: Pick<ClusterConnection, 'client'>;
  /** A session signed out at any instance, this one too. */
  readonly onSignOut: (session: SignedOut) => void;
  /** Lifetime of a session. */
  readonly keptMs: number;
}

const signOut = readScript('signOut');
/** Those that are kept in Redis, and those that wait for it here. */
const maxKept = 4096;
const maxRead = 1000;

/**
 * Tells the instances of a cluster which sessions signed out. Its owner calls `refresh` with each beat: so the
 * others know of it within a beat. While Redis is away, sign-outs wait here.
 */
export class SignOuts {
  readonly #needs: SignOutsNeeds;
  #waiting: string[] = [];
  #isBusy = false;
  /** The number of the last one that was read. */
  #last = 0;

  constructor(needs: SignOutsNeeds) {
    this.#needs = needs;
  }

  /** A session signed out at this instance. */
  add({ id, expiresAt }: SignedOut): void {
    this.#waiting = [...this.#waiting, `${id} ${expiresAt}`].slice(-maxKept);
    void this.refresh();
  }

  /** Tells what waits, and reads what is new: all at the first time. Never rejects. */
  async refresh(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      await this.#tell();
      while ((await this.#read()) === maxRead);
    } catch {
      // The next beat tries again.
    } finally {
      this.#isBusy = false;
    }
  }

  async #tell(): Promise<void> {
    const told = this.#waiting;
    if (told.length === 0) return;
    const { connection, keptMs } = this.#needs;
    const args = [String(this.#last), String(maxKept), String(keptMs), ...told];
    await runScript(connection.client, signOut, [clusterKeys.signOuts], args);
    this.#waiting = this.#waiting.filter((each) => !told.includes(each));
  }

  /** Returns how many it read. */
  async #read(): Promise<number> {
    const { client } = this.#needs.connection;
    const limit = ['LIMIT', 0, maxRead] as const;
    const range = [`(${this.#last}`, '+inf', 'WITHSCORES'] as const;
    const reply = await client.zrangebyscore(clusterKeys.signOuts, ...range, ...limit);
    for (let i = 0; i < reply.length; i += 2) {
      this.#last = Math.max(this.#last, Number(reply[i + 1]));
      const [id = '', expiresAt] = (reply[i] ?? '').split(' ');
      this.#needs.onSignOut({ id, expiresAt: Number(expiresAt) });
    }
    return reply.length / 2;
  }
}
