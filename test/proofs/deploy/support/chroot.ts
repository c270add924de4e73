/** Runs programs with a folder as their file system, with the tools of util-linux. Needs root. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Where a program runs. */
export interface Container {
  /** The folder that is its `/`. */
  root: string;
  /** Where it starts. */
  folder: string;
}

export interface ProgramOptions {
  env: Record<string, string>;
  /** Numbers: `uid:gid`. */
  user: string;
  /** Folders of this machine that it sees, by their path inside. */
  mounts?: Record<string, string>;
  /** Nothing but `mounts` can be written. */
  isReadOnly?: boolean;
}

/**
 * In mount and process namespaces of its own, so nothing of it is left afterwards. The program is the first
 * process there, as in a container.
 */
const script = `
set -e
root=$1 readonly=$2 mounts=$3 user=$4 folder=$5; shift 5
mount --make-rprivate /
mount --bind "$root" "$root"
[ "$readonly" = no ] || mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
for each in $mounts; do mount --bind "\${each%%=*}" "$root\${each#*=}"; done
exec chroot --userspec="$user" "$root" /bin/sh -c 'cd "$0" && exec "$@"' "$folder" "$@"
`;

/** Starts a program. Its first process is a child of the process that is returned. */
export function start(
  { root, folder }: Container,
  command: readonly string[],
  { env, user, mounts = {}, isReadOnly = false }: ProgramOptions,
): ChildProcess {
  const paths = Object.entries(mounts).map(([inside, outside]) => `${outside}=${inside}`);
  const args = ['sh', root, isReadOnly ? 'yes' : 'no', paths.join(' '), user, folder, ...command];
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '/bin/sh', '-c', script];
  return spawn('unshare', [...namespaces, ...args], {
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs a program to its end. Resolves with its exit code and all that it wrote. */
export async function execute(
  container: Container,
  command: readonly string[],
  options: ProgramOptions,
): Promise<{ code: number | null; text: string }> {
  const child = start(container, command, options);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  const [code] = await once(child, 'close');
  return { code, text };
}
