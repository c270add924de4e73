import { z } from 'zod';
import type { ServerId } from '../../machines/ports.js';
import { BoundedMap } from '../boundedMap.js';
import { parseJson } from '../parseJson.js';

/** What a pub-sub server tells of itself in the header `Dashboard-Agent`: docs/protocol.md. */
export interface AgentInfo {
  /** Optional parts of the protocol that it speaks: `names`, `rooms`. */
  capabilities: ReadonlySet<string>;
  /** Random id of its process. Another one: it has restarted. */
  run?: string | undefined;
  /** What people call it. */
  name?: string | undefined;
  /** Version of the agent. */
  agent?: string | undefined;
  /** What it runs in: `hocuspocus 3.4.4`. */
  host?: string | undefined;
  node?: string | undefined;
  uptimeSeconds?: number | undefined;
  memoryBytes?: number | undefined;
  /** 99th percentile since its last answer. */
  eventLoopDelayMs?: number | undefined;
  /** `idle`: in memory with nobody connected. */
  documents?: { inMemory: number; idle: number } | undefined;
  stores?: { pending: number; failed: number } | undefined;
}

/** The same, and when it was told, in milliseconds since 1970. */
export type ToldInfo = AgentInfo & { toldAtMs: number };

const maxHeaderLength = 4096;
const maxTextLength = 255;
const maxCapabilities = 32;
/** Strangers may claim to be any number of servers, so the oldest entries are dropped. */
const maxServers = 20_000;

const text = z
  .string()
  .min(1)
  .max(maxTextLength)
  .regex(/^\P{Cc}+$/u);
const count = z.int().min(0);
const amount = z.number().min(0);

/** An unreadable field is left out, so that it does not cost the others. */
const told = z.object({
  capabilities: z.array(z.string().max(maxTextLength)).max(maxCapabilities).catch([]),
  run: text.optional().catch(undefined),
  name: text.optional().catch(undefined),
  agent: text.optional().catch(undefined),
  host: text.optional().catch(undefined),
  node: text.optional().catch(undefined),
  uptimeSeconds: amount.optional().catch(undefined),
  memoryBytes: count.optional().catch(undefined),
  eventLoopDelayMs: amount.optional().catch(undefined),
  documents: z.object({ inMemory: count, idle: count }).optional().catch(undefined),
  stores: z.object({ pending: count, failed: count }).optional().catch(undefined),
});

/** Parses the header `Dashboard-Agent`; undefined: it is not one. */
export function parseAgentInfo(header: string): AgentInfo | undefined {
  if (header.length > maxHeaderLength) return undefined;
  const { data } = told.safeParse(parseJson(header));
  return data && { ...data, capabilities: new Set(data.capabilities) };
}

/** A change of what a server told of itself. */
export interface AgentChange {
  /** Whether it is another process than before. */
  hasRestarted: boolean;
}

/** What each pub-sub server last told of itself. */
export class AgentInfos {
  readonly #infos = new BoundedMap<ServerId, ToldInfo>(maxServers);
  readonly #onChanged: (server: ServerId, change: AgentChange) => void;

  /** `onChanged`: a server has other capabilities than before, or has restarted. */
  constructor(onChanged: (server: ServerId, change: AgentChange) => void = () => undefined) {
    this.#onChanged = onChanged;
  }

  /** Notes the header of an answer. Without one, the server has no agent, or no longer. */
  noteHeader(server: ServerId, header: string | undefined): void {
    this.#note(server, header === undefined ? undefined : parseAgentInfo(header));
  }

  /** Undefined: it has told nothing, as servers without an agent do. */
  get(server: ServerId): ToldInfo | undefined {
    return this.#infos.get(server);
  }

  /** Whether the server announced an optional part of the protocol. */
  supports(server: ServerId, capability: string): boolean {
    return this.#infos.get(server)?.capabilities.has(capability) ?? false;
  }

  forget(server: ServerId): void {
    this.#infos.delete(server);
  }

  #note(server: ServerId, info: AgentInfo | undefined): void {
    const before = this.#infos.get(server);
    if (info) this.#infos.set(server, { ...info, toldAtMs: Date.now() });
    else this.#infos.delete(server);
    const hasRestarted = before?.run !== undefined && before.run !== info?.run;
    if (hasRestarted || wordsOf(before) !== wordsOf(info))
      this.#onChanged(server, { hasRestarted });
  }
}

const wordsOf = (info: AgentInfo | undefined) => [...(info?.capabilities ?? [])].sort().join(' ');
