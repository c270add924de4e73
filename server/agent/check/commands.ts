import { type ChildProcess, spawn } from 'node:child_process';

const killWithinMs = 2_000;
const running = new Set<ChildProcess>();

/** Starts a command of the shell in a process group of its own. The caller must end it. */
export function startCommand(command: string): ChildProcess {
  const child = spawn('/bin/sh', ['-c', command], { stdio: 'ignore', detached: true });
  running.add(child);
  child.once('exit', () => running.delete(child));
  // The check that waits for it fails with what it expected.
  child.on('error', () => running.delete(child));
  return child;
}

/** Ends a command and all that it started, unless it has ended by itself. */
export async function endCommand(child: ChildProcess): Promise<void> {
  if (!running.has(child)) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  signalGroup(child, 'SIGTERM');
  const late = setTimeout(signalGroup, killWithinMs, child, 'SIGKILL');
  await exited.finally(() => clearTimeout(late));
}

/** Kills all commands at once, before this process exits. */
export function killCommands(): void {
  for (const child of running) signalGroup(child, 'SIGKILL');
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // The group is gone.
  }
}
