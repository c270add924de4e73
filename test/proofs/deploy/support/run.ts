import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** How a program ended, and what it wrote to both of its outputs. */
export interface Ended {
  code: number;
  text: string;
}

const execute = promisify(execFile);

/** Runs a program to its end. Debian keeps some where only root's PATH leads. */
export async function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Ended> {
  const env = { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, ...options.env };
  try {
    const { stdout, stderr } = await execute(program, args, {
      ...options,
      env,
      maxBuffer: 2 ** 26,
    });
    return { code: 0, text: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== 'number') throw error;
    return { code, text: `${stdout}${stderr}` };
  }
}
