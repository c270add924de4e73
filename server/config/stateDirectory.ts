import { isAbsolute, join, resolve } from 'node:path';
import { type Environment, readVariable } from './environment.js';

const own = 'pubsub-dashboard';

/**
 * The folder in which this service keeps its state: `STATE_DIR`, else the one that systemd made for it
 * (systemd.exec(5), `StateDirectory=`), else the user's by the XDG Base Directory Specification.
 * Undefined: `STATE_DIR` is `none`, or there is no such folder.
 */
export function stateDirectory(env: Environment): string | undefined {
  const read = (name: string) => readVariable(env, name).text;
  const absolute = (name: string) => [read(name)].find((path) => path && isAbsolute(path));
  const given = read('STATE_DIR');
  if (given !== undefined) return given === 'none' ? undefined : resolve(given);
  // Several folders are separated by colons: the first one is the main one.
  const systemd = absolute('STATE_DIRECTORY')?.split(':')[0];
  if (systemd) return systemd;
  const xdg = absolute('XDG_STATE_HOME');
  if (xdg) return join(xdg, own);
  const home = absolute('HOME');
  return home ? join(home, '.local', 'state', own) : undefined;
}
