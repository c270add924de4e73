import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { isLoopback, type Networks, normalizeAddress, subscriberOf } from '../../addresses.js';
import { AtMostEvery } from '../../timing/atMostEvery.js';

/** Limits of connections. */
export interface ConnectionLimits {
  max: number;
  /** From one address, or one /64 of IPv6. Loopback and trusted proxies are not counted. */
  maxPerAddress: number;
  trustedProxies: Networks | undefined;
}

const logEveryMs = 60_000;

/** Closes connections over the limits as soon as they open. */
export function limitConnections(server: Server, limits: ConnectionLimits, log: Logger): void {
  const connections = new Map<string, number>();
  const refused = new RefusalLog(log);
  server.maxConnections = limits.max;
  server.on('drop', () => refused.note('all addresses'));
  server.on('connection', (socket: Socket) => {
    const address = normalizeAddress(socket.remoteAddress ?? '');
    if (isLoopback(address) || limits.trustedProxies?.includes(address)) return;
    const subscriber = subscriberOf(address);
    const open = connections.get(subscriber) ?? 0;
    if (open >= limits.maxPerAddress) {
      refused.note(subscriber);
      socket.destroy();
      return;
    }
    connections.set(subscriber, open + 1);
    socket.once('close', () => {
      const remaining = (connections.get(subscriber) ?? 1) - 1;
      if (remaining > 0) connections.set(subscriber, remaining);
      else connections.delete(subscriber);
    });
  });
}

/** Logs refused connections, at most once a minute: clients must not fill the log. */
class RefusalLog {
  readonly #log: Logger;
  readonly #lines = new AtMostEvery(logEveryMs, 1);
  #refused = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  note(from: string): void {
    this.#refused += 1;
    if (!this.#lines.allows('refused')) return;
    this.#log.warn(
      { refused: this.#refused, from },
      'too many connections: new connections are refused',
    );
    this.#refused = 0;
  }
}
