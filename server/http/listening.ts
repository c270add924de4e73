import type { Server } from 'node:http';
import type { Config } from '../config/config.js';

/** Listens on `HOST` and `PORT`. Rejects with an Error that names the variable to change; its cause is the system's error. */
export async function listen(
  server: Server,
  { host, port }: Pick<Config, 'host' | 'port'>,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  }).catch((cause: NodeJS.ErrnoException) => {
    const { code } = cause;
    throw Object.assign(new Error(messageFor(code, host, port), { cause }), code && { code });
  });
  server.removeAllListeners('error');
}

function messageFor(code: string | undefined, host: string, port: number): string {
  switch (code) {
    case 'EADDRINUSE':
      return `PORT is ${port}: another process listens there at ${host}. Stop it, or set another PORT`;
    case 'EACCES':
      return `PORT is ${port}: this user is not allowed to listen on it. Set a PORT above 1023`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return `HOST is "${host}": this machine has no such address. Set HOST to one of its addresses, or to 0.0.0.0 for all. Some shells and platforms set HOST for other purposes`;
    default:
      return `HOST is "${host}" and PORT is ${port}: the service cannot listen there. Set another HOST or PORT`;
  }
}
