import type { Server } from 'node:http';
import type { Config } from '../config/config.js';

/** Listens as configured. Rejects with an Error that names the variable to change, with the system's own as its cause. */
export async function listen(
  server: Server,
  { host, port }: Pick<Config, 'host' | 'port'>,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  }).catch((cause: NodeJS.ErrnoException) => {
    const { code } = cause;
    throw Object.assign(new Error(wordsOf(code, host, port), { cause }), code && { code });
  });
  server.removeAllListeners('error');
}

function wordsOf(code: string | undefined, host: string, port: number): string {
  switch (code) {
    case 'EADDRINUSE':
      return `PORT is ${port}: something else listens there at ${host}. Stop it, or set another PORT`;
    case 'EACCES':
      return `PORT is ${port}: this user may not listen on it. Set a PORT above 1023`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return `HOST is "${host}": this machine has no such address. Set HOST to one that it has, or to 0.0.0.0 for all; some shells and platforms set HOST for purposes of their own`;
    default:
      return `HOST is "${host}" and PORT is ${port}: the service cannot listen there`;
  }
}
