/** The service in its own process, under conditions that a test chooses. */

import type { ChildProcess } from 'node:child_process';
import { within } from '../../../../server/demo/childProcess.js';
import { withDeadline } from '../../../../server/timing/withDeadline.js';
import { type RunOptions, runProcess } from '../../../support/serviceProcess.js';
import { quick } from '../../../support/stage.js';

/** Conditions of one run. Modules to import are of this folder, or named by URL. */
export interface Conditions extends Pick<RunOptions, 'imports' | 'nodeArgs' | 'maxFiles'> {
  /** Variables. They override the short intervals of tests. */
  env?: Record<string, string>;
}

/** A running service. It ends with its test. */
export interface ServiceRun {
  readonly url: string;
  readonly pid: number;
  /** What it has logged so far. */
  log(): string;
  isRunning(): boolean;
  /** Sends a question to the preloaded modules. Resolves with the answer. */
  ask<T>(question: Record<string, unknown>): Promise<T>;
}

const listenWithinMs = 120_000;
const answerWithinMs = 60_000;

/** Starts the service with these servers. Resolves when it listens. */
export async function runService(
  servers: readonly { id: string }[],
  { env = {}, imports = [], ...options }: Conditions = {},
): Promise<ServiceRun> {
  const { child, isRunning, listening, output } = runProcess(
    { PUBSUB_SERVERS: servers.map(({ id }) => id).join(','), ...quick, ...env },
    { ...options, imports: imports.map((name) => new URL(name, import.meta.url).href) },
  );
  const log = () => output.out + output.err;
  const url = await withDeadline(listening, listenWithinMs, () => {
    throw new Error(`the service did not listen within ${listenWithinMs} ms: ${log()}`);
  });
  return {
    url,
    pid: child.pid ?? -1,
    log,
    isRunning,
    ask: async <T>(question: Record<string, unknown>) => {
      const answer = answerOf<T>(child);
      child.send(question);
      return within(answerWithinMs, 'the process did not answer', answer);
    },
  };
}

/** The value of the next answer. */
function answerOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const take = ({ type, value }: { type?: string; value?: T }) => {
      if (type !== 'answer') return;
      child.off('message', take);
      child.off('exit', fail);
      resolve(value as T);
    };
    const fail = () => reject(new Error('the service has ended'));
    child.on('message', take).once('exit', fail);
  });
}
