import { homedir } from 'node:os';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Config, ConfigError, readConfig } from './config/config.js';
import { createLog } from './log.js';
import { LogOutput, redirect, writerTo } from './logOutput.js';
import { type Service, startService } from './service.js';

/** How long the end waits for the log, and for the last words to viewers. */
const flushMs = 500;
const farewellMs = 100;
/** How long it waits for lookups and file operations that are under way. */
const threadsMs = 500;
const threadPollMs = 20;

/** Runs the service as this process, which `onEndable` is told how to end: now, and again when there is more to end. */
export async function runService(
  env: NodeJS.ProcessEnv,
  onEndable: (end: (signal: string) => void) => void,
) {
  const outputs = { log: new LogOutput(writerTo(1)), errors: new LogOutput(writerTo(2)) };
  redirect(process.stdout, outputs.log);
  redirect(process.stderr, outputs.errors);
  const exit = exitAfter(Object.values(outputs));
  onEndable(() => void exit(0));
  giveHome(env);

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
  // Whoever started this process may be gone by now: that is no error.
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

/** Ends the process when its last words are written, or cannot be. */
function exitAfter(outputs: readonly LogOutput[]) {
  return async (code: number): Promise<void> => {
    await Promise.all(outputs.map((output) => output.flush(flushMs)));
    // `process.exit` waits for the thread pool, for ever if need be: nobody is to wait for that.
    if (!(await areThreadsIdle())) process.kill(process.pid, 'SIGKILL');
    process.exit(code);
  };
}

/** What a thread of the pool does: file systems, terminals and resolvers may hang in it. */
const inThread = /^(FSReq|GetAddrInfo|GetNameInfo)/;

/** Whether the thread pool has nothing to do, now or soon. */
async function areThreadsIdle(): Promise<boolean> {
  const isBusy = () => process.getActiveResourcesInfo().some((kind) => inThread.test(kind));
  for (let waitedMs = 0; isBusy(); waitedMs += threadPollMs) {
    if (waitedMs >= threadsMs) return false;
    await pause(threadPollMs);
  }
  return true;
}

/** The AWS SDK looks for its files in a home, and finds none for a user that the system does not know. */
function giveHome(env: NodeJS.ProcessEnv): void {
  try {
    homedir();
  } catch {
    env.HOME = '/nonexistent';
  }
}

/** Warnings of Node.js and of libraries go to the log like everything else. */
function logWarnings(log: Logger, config: Config): void {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (!isForAwsAlone(warning) || usesAws(config)) log.warn({ err: warning }, 'Node.js warns');
  });
}

/** The SDK's word on old versions of Node.js: it has no code, and concerns nobody who does not use AWS. */
const isForAwsAlone = ({ message }: Error) =>
  message.startsWith('NodeVersionSupportWarning: The AWS SDK');

const usesAws = ({ dynamodbTable, ecsCluster }: Config) =>
  dynamodbTable !== undefined || ecsCluster !== undefined;
