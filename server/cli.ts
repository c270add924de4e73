#!/usr/bin/env node
/** `npx pubsub-dashboard`: runs the service. Its settings are environment variables. */

import process from 'node:process';
import { serviceVersion } from './serviceVersion.js';

const usage = `Usage: npx pubsub-dashboard

Runs the dashboard service. All settings are environment variables:

  HOST, PORT        where to listen; default 127.0.0.1 and 8000
  PUBLIC_URL        where the pub-sub servers reach this service
  PUBSUB_SERVERS    servers known from the start: host:port,host:port
  PUBSUB_NETWORKS   the addresses that may be servers, if they are not private
  DASHBOARD_TOKEN   what people sign in with; required beyond loopback

  --help            prints this
  --version         prints the version

docs/deploy.md has all variables.
`;

const [argument] = process.argv.slice(2);
if (argument === undefined) {
  await import('./main.js');
} else if (argument === '--help' || argument === '-h') {
  process.stdout.write(usage);
} else if (argument === '--version' || argument === '-v') {
  process.stdout.write(`${serviceVersion()}\n`);
} else {
  process.stderr.write(
    `Unknown argument '${argument}'. Settings are environment variables, such as PORT=8080. See --help.\n`,
  );
  process.exitCode = 2;
}
