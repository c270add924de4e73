import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { type Networks, normalizeAddress, subscriberOf } from '../../addresses.js';
import { AtMostEvery } from '../../timing/atMostEvery.js';
import { OpenBySubscriber } from './openBySubscriber.js';

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
  const open = new OpenBySubscriber();
  const refused = new RefusalLog(log);
  server.maxConnections = limits.max;
  server.on('drop', () => refused.note('all addresses'));
  server.on('connection', (socket: Socket) => {
    const address = normalizeAddress(socket.remoteAddress ?? '');
    if (limits.trustedProxies?.includes(address)) return;
    if (open.of(address) >= limits.maxPerAddress) {
      refused.note(subscriberOf(address));
      socket.destroy();
      return;
    }
    socket.once('close', open.add(address));
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
