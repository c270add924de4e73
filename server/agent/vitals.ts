import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import type { AgentDocuments } from './agentTypes.js';
import { agentVersion } from './agentVersion.js';
import type { Snapshot } from './snapshot.js';

/** What the agent can do beyond the first protocol. */
export const capabilities = ['names', 'rooms'];

/** What does not change while the agent runs. */
export interface Identity {
  readonly run: string;
  readonly name: string;
  readonly hostKind: string | undefined;
}

const resolutionMs = 20;
/** Six characters for each, at most: the header has at most 4 KiB. */
const maxTextLength = 200;

/** What the agent tells of its process: the header `Dashboard-Agent`. */
export class Vitals {
  readonly #identity: Identity;
  readonly #documents: AgentDocuments;
  #delay: IntervalHistogram | undefined;

  constructor(identity: Identity, documents: AgentDocuments) {
    this.#identity = identity;
    this.#documents = documents;
  }

  /** Measures the delay of the event loop only while somebody looks. */
  measure(isActive: boolean): void {
    if (isActive === (this.#delay !== undefined)) return;
    this.#delay?.disable();
    this.#delay = isActive ? monitorEventLoopDelay({ resolution: resolutionMs }) : undefined;
    this.#delay?.enable();
  }

  /** The value of the header. */
  header(snapshot: Snapshot | undefined): string {
    const { run, name, hostKind } = this.#identity;
    const told = {
      capabilities,
      run,
      name: name.slice(0, maxTextLength),
      agent: agentVersion,
      host: hostKind?.slice(0, maxTextLength),
      node: process.version,
      uptimeSeconds: Math.round(process.uptime()),
      memoryBytes: process.memoryUsage.rss(),
      eventLoopDelayMs: this.#takeDelay(),
      documents: snapshot && { inMemory: snapshot.inMemory, idle: snapshot.idle },
      stores: this.#stores(),
    };
    return asciiJson(told);
  }

  /** The 99th percentile since the last answer. The histogram has whole intervals. */
  #takeDelay(): number | undefined {
    if (!this.#delay || this.#delay.count === 0) return undefined;
    const ms = Math.max(0, this.#delay.percentile(99) / 1e6 - resolutionMs);
    this.#delay.reset();
    return Math.round(ms * 10) / 10;
  }

  #stores(): { pending: number; failed: number } | undefined {
    try {
      const { pending, failed } = this.#documents.stores?.() ?? {};
      if (!Number.isSafeInteger(pending) || !Number.isSafeInteger(failed)) return undefined;
      return { pending: Number(pending), failed: Number(failed) };
    } catch {
      return undefined;
    }
  }
}

function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
