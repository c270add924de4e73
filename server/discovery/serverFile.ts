import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from 'pino';
import type { ServerId } from '../../machines/ports.js';
import { parseServerId } from '../addresses.js';
import { BoundedMap } from '../boundedMap.js';
import { makeFolder } from '../config/makeFolder.js';
import { rememberedForMs, type ServersTable, type StoredServer } from '../store/store.js';
import { withDeadline } from '../timing/withDeadline.js';

const maxServers = 5000;
const maxBytes = 1024 * 1024;
const closingMs = 1000;

/** The content of the file. */
interface Contents {
  /** Identifies the process that wrote it. */
  run: string;
  /** When each server last answered, in milliseconds since 1970. */
  heardAt: BoundedMap<ServerId, number>;
}

/** The path of the file. It contains the address that this process listens on, which no other can use. */
export function serverFileIn(folder: string, host: string, port: number): string {
  return join(folder, `servers-${host.replace(/[^\w.-]/g, '_')}-${port}.json`);
}

/**
 * Remembers servers that were found by their start-up queries, in a small file. Each write replaces the
 * whole file, so a crash leaves the old or the new one. A failure is logged once and retried. No method
 * rejects.
 */
export class ServerFile implements ServersTable {
  readonly #path: string;
  readonly #log: Logger;
  readonly #retryMs: number;
  readonly #run = randomUUID();
  #heardAt = new BoundedMap<ServerId, number>(maxServers);
  /** The process that wrote the file before this one started. */
  #runBefore: string | undefined;
  #loading: Promise<void> | undefined;
  #saving: Promise<void> | undefined;
  #isSaveDue = false;
  #isFailing = false;
  /** Whether another process writes to the file: then this one no longer does. */
  #isLost = false;
  #isClosed = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(path: string, log: Logger, retryMs = 60_000) {
    this.#path = path;
    this.#log = log;
    this.#retryMs = retryMs;
  }

  async list(): Promise<StoredServer[]> {
    await this.#load();
    const now = Date.now();
    return [...this.#heardAt]
      .map(
        ([server, at]) =>
          ({ server, origin: 'remembered', expiresAt: at + rememberedForMs }) as const,
      )
      .filter(({ expiresAt }) => expiresAt > now);
  }

  async put({ server, expiresAt }: StoredServer): Promise<void> {
    await this.#load();
    this.#heardAt.set(server, expiresAt - rememberedForMs);
    this.#save();
  }

  async remove(server: ServerId): Promise<void> {
    await this.#load();
    if (this.#heardAt.delete(server)) this.#save();
  }

  /** Waits for the current write, but not for a disk that hangs. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    if (this.#saving) await withDeadline(this.#saving, closingMs, () => undefined);
  }

  /** Reads the file once and rewrites it, to learn whether it is writable, and to tell another process that uses it. */
  #load(): Promise<void> {
    this.#loading ??= this.#read()
      .catch((error: unknown) => {
        this.#note(error);
        return undefined;
      })
      .then((contents) => {
        this.#runBefore = contents?.run;
        this.#heardAt = contents?.heardAt ?? new BoundedMap(maxServers);
        this.#save();
      });
    return this.#loading;
  }

  #save(): void {
    this.#isSaveDue = true;
    if (!this.#isLost && !this.#isClosed) this.#saving ??= this.#saveAll();
  }

  async #saveAll(): Promise<void> {
    clearTimeout(this.#retry);
    try {
      while (this.#isSaveDue && !this.#isLost) {
        this.#isSaveDue = false;
        await this.#write();
      }
      if (this.#isFailing) this.#log.info({ file: this.#path }, 'servers are remembered again');
      this.#isFailing = false;
    } catch (error) {
      this.#note(error);
      if (!this.#isClosed) this.#retry = setTimeout(() => this.#save(), this.#retryMs).unref();
    } finally {
      this.#saving = undefined;
    }
  }

  #note(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#log.warn(
      { err: error, file: this.#path },
      'servers cannot be remembered: a restart forgets those found by their start-up queries. Make the folder writable, or set STATE_DIR to another one',
    );
  }

  async #write(): Promise<void> {
    await makeFolder(dirname(this.#path));
    const written = await this.#read().catch(() => undefined);
    if (written && written.run !== this.#run && written.run !== this.#runBefore) {
      this.#isLost = true;
      this.#log.warn(
        { file: this.#path },
        'another process remembers its servers in this file, so this one stops: give each its own STATE_DIR',
      );
      return;
    }
    // A name of its own: another process may be writing at the same time.
    const draft = `${this.#path}.${this.#run}.tmp`;
    await rm(draft, { force: true });
    await writeDurably(draft, this.#toText());
    await rename(draft, this.#path);
    await syncFolder(dirname(this.#path));
  }

  #toText(): string {
    const servers = [...this.#heardAt].map(([server, at]) => ({ server, heardAt: toIso(at) }));
    return `${JSON.stringify({ run: this.#run, servers }, undefined, 1)}\n`;
  }

  /** Undefined: there is no file, or it is not a list of servers. */
  async #read(): Promise<Contents | undefined> {
    const text = await readStart(this.#path);
    if (text === undefined) return undefined;
    const contents = parse(text);
    if (!contents)
      this.#log.warn({ file: this.#path }, 'this file is not a list of servers: it is replaced');
    return contents;
  }
}

function toIso(ms: number): string {
  return new Date(Math.min(Math.max(ms, 0), 8.64e15)).toISOString();
}

/** Skips invalid entries. */
function parse(text: string): Contents | undefined {
  try {
    const { run, servers } = JSON.parse(text);
    if (typeof run !== 'string' || !Array.isArray(servers)) return undefined;
    const heardAt = new BoundedMap<ServerId, number>(maxServers);
    for (const entry of servers.slice(0, maxServers)) {
      const at = Date.parse(entry?.heardAt);
      const server = serverIn(entry?.server);
      if (server !== undefined && !Number.isNaN(at)) heardAt.set(server, at);
    }
    return { run, heardAt };
  } catch {
    return undefined;
  }
}

function serverIn(text: unknown): ServerId | undefined {
  try {
    return parseServerId(String(text));
  } catch {
    return undefined;
  }
}

/** The first megabyte of a file, more than this service writes; undefined: there is no file. */
async function readStart(path: string): Promise<string | undefined> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!file) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Writes a file that only its owner can read. It is on the disk when this resolves. */
async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the rename durable. Some file systems cannot; then it is durable a little later. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path).catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}
