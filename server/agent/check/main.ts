#!/usr/bin/env node
/** `npx @pubsub-dashboard/agent check`: checks a server from the command line. */

import type { ChildProcess } from 'node:child_process';
import process from 'node:process';
import { endCommand, killCommands, startCommand } from './commands.js';
import { byCommand, hocuspocus, yWebsocket } from './opener.js';
import { type Arguments, parseArguments, UsageError, usage } from './parseArguments.js';
import { isBroken, renderResults } from './report.js';
import { runChecks } from './runChecks.js';

const cannotCheck = 2;
const defaultWithinMs = 10_000;
const interrupted = 130;
/** The command that restarted the server. It may be the server itself. */
let restarted: ChildProcess | undefined;

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    killCommands();
    process.exit(interrupted);
  });

run(process.argv.slice(2)).then(exit, (cause: unknown) => {
  const isHelp = cause instanceof UsageError && cause.message === usage;
  (isHelp ? process.stdout : process.stderr).write(`${String(Object(cause).message ?? cause)}\n`);
  return exit(isHelp ? 0 : cannotCheck);
});

async function run(args: readonly string[]): Promise<number> {
  const parsed = parseArguments(args);
  const { url, listen, withinMs, sendsBadInput, restart, secret } = parsed;
  const results = await runChecks({
    url,
    opener: openerOf(parsed),
    listen,
    withinMs,
    sendsBadInput,
    secret,
    restart: restart === undefined ? undefined : () => restartBy(restart),
  });
  const text = parsed.isJson ? `${JSON.stringify(results, null, 2)}\n` : renderResults(results);
  process.stdout.write(text);
  return isBroken(results) ? 1 : 0;
}

function openerOf({ ws, protocol, token, open, withinMs = defaultWithinMs }: Arguments) {
  if (open !== undefined) return byCommand(open);
  return protocol === 'hocuspocus' ? hocuspocus(ws, withinMs, token) : yWebsocket(ws, withinMs);
}

async function restartBy(command: string): Promise<void> {
  if (restarted) await endCommand(restarted);
  restarted = startCommand(command);
}

/** Sets the code instead of exiting, so that the output is written to its end. */
async function exit(code: number): Promise<void> {
  if (restarted) await endCommand(restarted);
  process.exitCode = code;
}
