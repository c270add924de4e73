import { homedir } from 'node:os';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Config, ConfigError, readConfig } from './config/config.js';
import { createLog } from './log.js';
import { LogOutput, redirect, writerTo } from './logOutput.js';
import { type Service, startService } from './service.js';

/** How long the exit waits for the log, and for the last frames to viewers. */
const flushMs = 500;
const farewellMs = 100;
/** How long the exit waits for running DNS lookups and file operations. */
const threadsMs = 500;
const threadPollMs = 20;

/** Runs the service as this process. Passes `onEndable` a function that stops it; a new one once the service runs. */
export async function runService(
  env: NodeJS.ProcessEnv,
  onEndable: (end: (signal: string) => void) => void,
) {
  const outputs = { log: new LogOutput(writerTo(1)), errors: new LogOutput(writerTo(2)) };
  redirect(process.stdout, outputs.log);
  redirect(process.stderr, outputs.errors);
  const exit = exitAfter(Object.values(outputs));
  onEndable(() => void exit(0));
  ensureHome(env);

  const warnings: string[] = [];
  const config = configOf(env, (warning) => warnings.push(warning));
  if (config instanceof ConfigError) {
    outputs.errors.write(`${config.message}\n`);
    return exit(1);
  }
  const log = createLog(config.logLevel, outputs.log);
  outputs.log.onLost = (lines) => log.error({ lines }, 'lines of the log could not be written');
  for (const warning of warnings) log.warn(warning);
  logWarnings(log, config);

  let service: Service | undefined;
  let isFailed = false;
  const fail = async (err: unknown, message: string) => {
    log.fatal({ err }, message);
    if (isFailed) return;
    isFailed = true;
    service?.endStreams();
    if (service) await pause(farewellMs);
    await exit(1);
  };
  process.on('uncaughtException', (error) => void fail(error, 'a defect ended the service'));
  try {
    service = await startService(config, log);
  } catch (error) {
    return fail(error, 'the service could not start');
  }
  const { url, stop, failed } = service;
  let isStopping = false;
  onEndable((signal) => {
    if (isStopping) return;
    isStopping = true;
    log.info({ signal }, 'stopping');
    stop().then(
      () => exit(0),
      (error: unknown) => fail(error, 'the service could not stop'),
    );
  });
  failed.catch((error: unknown) => fail(error, 'the machine failed'));
  log.info({ url }, 'listening');
  // The parent may have exited; that is not an error.
  process.send?.({ type: 'listening', url }, undefined, undefined, () => {});
}

function configOf(env: NodeJS.ProcessEnv, warn: (warning: string) => void): Config | ConfigError {
  try {
    return readConfig(env, warn);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

/** Ends the process when its last log lines are written, or cannot be written. */
function exitAfter(outputs: readonly LogOutput[]) {
  return async (code: number): Promise<void> => {
    await Promise.all(outputs.map((output) => output.flush(flushMs)));
    // `process.exit` waits for the thread pool, possibly forever. SIGKILL does not.
    if (!(await areThreadsIdle())) process.kill(process.pid, 'SIGKILL');
    process.exit(code);
  };
}

/** Operations in the thread pool: file systems, terminals and DNS lookups may hang in it. */
const inThread = /^(FSReq|GetAddrInfo|GetNameInfo)/;

/** Whether the thread pool becomes idle in time. */
async function areThreadsIdle(): Promise<boolean> {
  const isBusy = () => process.getActiveResourcesInfo().some((kind) => inThread.test(kind));
  for (let waitedMs = 0; isBusy(); waitedMs += threadPollMs) {
    if (waitedMs >= threadsMs) return false;
    await pause(threadPollMs);
  }
  return true;
}

/** Sets HOME for a user without one: the AWS SDK looks for its files there, and fails without it. */
function ensureHome(env: NodeJS.ProcessEnv): void {
  try {
    homedir();
  } catch {
    env.HOME = '/nonexistent';
  }
}

/** Sends warnings of Node.js and libraries to the log. */
function logWarnings(log: Logger, config: Config): void {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (!isForAwsOnly(warning) || usesAws(config))
      log.warn({ err: warning }, 'warning from Node.js');
  });
}

/** The AWS SDK's warning about old versions of Node.js. It has no code, and only matters with AWS. */
const isForAwsOnly = ({ message }: Error) =>
  message.startsWith('NodeVersionSupportWarning: The AWS SDK');

const usesAws = ({ dynamodbTable, ecsCluster }: Config) =>
  dynamodbTable !== undefined || ecsCluster !== undefined;
