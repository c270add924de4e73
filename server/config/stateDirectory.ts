import { isAbsolute, join, resolve } from 'node:path';
import { type Environment, readVariable } from './readVariable.js';

const folder = 'pubsub-dashboard';

/**
 * The folder for the state of this service: `STATE_DIR`, else the one that systemd created for it
 * (systemd.exec(5), `StateDirectory=`), else the one of the XDG Base Directory Specification. Undefined:
 * `STATE_DIR` is `none`, or none of these is set.
 */
export function stateDirectory(env: Environment): string | undefined {
  const read = (name: string) => readVariable(env, name).text;
  const absolute = (name: string) => [read(name)].find((path) => path && isAbsolute(path));
  const given = read('STATE_DIR');
  if (given !== undefined) return given === 'none' ? undefined : resolve(given);
  // systemd separates several folders by colons.
  const systemd = absolute('STATE_DIRECTORY')?.split(':')[0];
  if (systemd) return systemd;
  const xdg = absolute('XDG_STATE_HOME');
  if (xdg) return join(xdg, folder);
  const home = absolute('HOME');
  return home ? join(home, '.local', 'state', folder) : undefined;
}
