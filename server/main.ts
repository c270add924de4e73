import process from 'node:process';
import { type Config, ConfigError, readConfig } from './config.js';
import { createLog } from './log.js';
import { startService } from './service.js';

const warnings: string[] = [];

function configOrExit(): Config {
  try {
    return readConfig(process.env, (warning) => warnings.push(warning));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

const config = configOrExit();
const log = createLog(config.logLevel);
for (const warning of warnings) log.warn(warning);

function endWith(error: unknown, message: string): never {
  log.fatal({ err: error }, message);
  process.exit(1);
}

const service = await startService(config, log).catch((error: unknown) =>
  endWith(error, 'the service could not start'),
);
log.info({ url: service.url }, 'listening');
service.failed.catch((error: unknown) => endWith(error, 'the machine failed'));

let isStopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (isStopping) return;
    isStopping = true;
    log.info({ signal }, 'stopping');
    service.stop().then(
      () => process.exit(0),
      (error: unknown) => endWith(error, 'the service could not stop'),
    );
  });
}
// Whoever is told may end it at once.
process.send?.({ type: 'listening', url: service.url });
