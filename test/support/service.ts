import { pino } from 'pino';
import { readConfig } from '../../server/config/config.js';
import {
  openConfiguredStore,
  type Service,
  type ServiceOverrides,
  startService,
} from '../../server/service.js';
import { storeOpenings } from './storeOpenings.js';
import { isInMemory, storeWhenUsed } from './storeWhenUsed.js';

/** Starts the service in this process on a free port of 127.0.0.1, quietly; variables as of `docs/deploy.md`. */
export function startTestService(
  env: Record<string, string> = {},
  overrides: ServiceOverrides = {},
): Promise<Service> {
  return startService(
    readConfig({ PORT: '0', STATE_DIR: 'none', ...env }),
    pino({ level: env.LOG_LEVEL ?? 'silent' }),
    { openStore: openNoted, checks: { asksTables: !overrides.openStore }, ...overrides },
  );
}

const openNoted: NonNullable<ServiceOverrides['openStore']> = async (...needs) => {
  const [config] = needs;
  const open = () => {
    const opening = openConfiguredStore(...needs);
    storeOpenings.push(opening);
    return opening;
  };
  return isInMemory(config) ? storeWhenUsed(open) : open();
};
