/** The service in a process of its own, which tells what it takes when asked. */
import { pino } from 'pino';
import { readConfig } from '../../server/config.js';
import { startService } from '../../server/service.js';
import { answerUsage } from './usage.js';

const service = await startService(readConfig(process.env), pino({ level: 'warn' }));
answerUsage();
process.send?.({ type: 'listening', url: service.url });
