import type { AgentLog } from './agentTypes.js';

const maxRemembered = 1_000;

/** A log that never throws, and writes each message once until it is `forgotten`. */
export class SafeLog {
  readonly #log: AgentLog;
  readonly #written = new Set<string>();

  constructor(log: AgentLog = consoleLog) {
    this.#log = log;
  }

  info(text: string): void {
    this.#write('info', text, text);
  }

  /** Messages of one kind are written once. */
  warn(text: string, kind = text): void {
    this.#write('warn', text, kind);
  }

  /** Lets the message be written again. */
  forget(text: string): void {
    this.#written.delete(text);
  }

  #write(level: 'info' | 'warn', text: string, kind: string): void {
    if (this.#written.has(kind) || this.#written.size >= maxRemembered) return;
    this.#written.add(kind);
    try {
      this.#log[level](text);
    } catch {
      // Nowhere is left to say it.
    }
  }
}

const consoleLog: AgentLog = {
  // biome-ignore lint/suspicious/noConsole: the host has no other log that is known here.
  info: (text) => console.info(text),
  // biome-ignore lint/suspicious/noConsole: the host has no other log that is known here.
  warn: (text) => console.warn(text),
};
