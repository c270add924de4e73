import { expect } from '@jest/globals';
import type { Logger } from 'pino';
import { readConfig } from '../../../server/config/config.js';
import { createLog } from '../../../server/log.js';
import { type Service, type ServiceOverrides, startService } from '../../../server/service.js';
import { emptyStore } from '../../support/emptyStore.js';
import { owns } from '../../support/stage.js';

/** A service that logs everything, and its log, one string per entry. */
export interface Logged {
  service: Service;
  lines: string[];
}

/** A log of all levels, and its entries. */
export function linesOfLog(): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  return { log: createLog('trace', { write: (line: string) => lines.push(line) }), lines };
}

/** Starts a service. It ends with its test, or earlier if the test stops it. */
export async function startLogged(
  env: Record<string, string> = {},
  overrides: ServiceOverrides = {},
): Promise<Logged> {
  const { log, lines } = linesOfLog();
  const config = readConfig({ PORT: '0', ...env });
  const started = await startService(config, log, {
    openStore: async () => emptyStore,
    checks: { asksTables: false },
    ...overrides,
  });
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= started.stop();
    return stopped;
  };
  return { service: owns({ ...started, stop }, stop), lines };
}

/** Expects each entry to be one line of JSON with the service's own keys, without control characters. */
export function expectOneLineEach(lines: readonly string[]): void {
  for (const line of lines) {
    const { level, time, pid, msg } = JSON.parse(line);
    expect([line, typeof level, typeof time, pid]).toEqual([line, 'number', 'number', process.pid]);
    expect([line, msg]).not.toEqual([line, 'forged']);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there.
    expect(line).toMatch(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*\n$/);
  }
}
