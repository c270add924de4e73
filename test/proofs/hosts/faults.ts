/** What a hook does the next time it is called. */
export interface Fault {
  /** Waits for so long first. */
  readonly ms: number;
  readonly isThrown: boolean;
}

const hooks = [
  'onConnect',
  'onAuthenticate',
  'onLoadDocument',
  'afterLoadDocument',
  'connected',
  'beforeHandleMessage',
  'onChange',
  'onAwarenessUpdate',
  'onStoreDocument',
  'afterStoreDocument',
  'onDisconnect',
  'beforeUnloadDocument',
  'afterUnloadDocument',
] as const;

export type Hook = (typeof hooks)[number];
export type Place = 'early' | 'late';

const prefix = 'a hook fails as the test wants';

/** Hooks of a user that are slow or throw, when a test wants it. `early` ones run before the extension's. */
export class Faults {
  readonly #planned = new Map<string, Fault>();

  static isOne(cause: unknown): boolean {
    return cause instanceof Error && cause.message.startsWith(prefix);
  }

  /** For the next call of the hook. */
  plan(place: Place, hook: Hook, fault: Fault): void {
    this.#planned.set(`${place} ${hook}`, fault);
  }

  clear(): void {
    this.#planned.clear();
  }

  extension(place: Place, priority?: number): object {
    const entries = hooks.map((hook) => [
      hook,
      async ({ token }: { token?: string } = {}) => {
        if (place === 'late' && hook === 'onAuthenticate') await check(token ?? '');
        await this.#meet(`${place} ${hook}`);
      },
    ]);
    return { ...Object.fromEntries(entries), ...(priority !== undefined && { priority }) };
  }

  async #meet(key: string): Promise<void> {
    const fault = this.#planned.get(key);
    if (!fault) return;
    this.#planned.delete(key);
    if (fault.ms > 0) await new Promise((resolve) => setTimeout(resolve, fault.ms));
    if (fault.isThrown) throw new Error(`${prefix}: ${key}`);
  }
}

/** A token says how its client is received: `ok`, `refuse`, `slow 10` (after 10 ms). */
async function check(token: string): Promise<void> {
  const [word, ms = '0'] = token.split(' ');
  if (word === 'slow') await new Promise((resolve) => setTimeout(resolve, Number(ms)));
  if (word === 'refuse') throw new Error(`${prefix}: the client is refused`);
}
