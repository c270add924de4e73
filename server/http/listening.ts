import type { Server } from 'node:http';
import type { Config } from '../config/config.js';

/**
 * Listens on `HOST` and a port, which `variable` names. Rejects with an Error that names the variable to change;
 * its cause is the system's error.
 */
export async function listen(
  server: Server,
  { host, port }: Pick<Config, 'host' | 'port'>,
  variable = 'PORT',
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  }).catch((cause: NodeJS.ErrnoException) => {
    const { code } = cause;
    throw Object.assign(
      new Error(messageFor(code, { host, port, variable }), { cause }),
      code && { code },
    );
  });
  server.removeAllListeners('error');
}

function messageFor(
  code: string | undefined,
  { host, port, variable }: { host: string; port: number; variable: string },
): string {
  switch (code) {
    case 'EADDRINUSE':
      return `${variable} is ${port}: another process listens there at ${host}. Stop it, or set another ${variable}`;
    case 'EACCES':
      return `${variable} is ${port}: this user is not allowed to listen on it. Set a ${variable} above 1023`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return `HOST is "${host}": this machine has no such address. Set HOST to one of its addresses, or to 0.0.0.0 for all. Some shells and platforms set HOST for other purposes`;
    default:
      return `HOST is "${host}" and ${variable} is ${port}: the service cannot listen there. Set another HOST or ${variable}`;
  }
}
