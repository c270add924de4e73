/** The service in a process of its own, which tells what it takes when asked. */
import { readConfig } from '../../server/config/config.js';
import { createLog } from '../../server/log.js';
import { startService } from '../../server/service.js';
import { answerUsage } from './usage.js';

const service = await startService(
  readConfig({ ...process.env, STATE_DIR: 'none' }),
  createLog('warn'),
);
answerUsage();
process.send?.({ type: 'listening', url: service.url });
