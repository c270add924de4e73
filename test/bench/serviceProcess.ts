/** The service in a process of its own, which tells the longest turn of its event loop when asked. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pino } from 'pino';
import { readConfig } from '../../server/config.js';
import { startService } from '../../server/service.js';

const service = await startService(readConfig(process.env), pino({ level: 'warn' }));
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();

process.on('message', (message: { type: string }) => {
  if (message.type === 'reset') delay.reset();
  const { user, system } = process.cpuUsage();
  process.send?.({
    type: message.type,
    maxDelayMs: delay.max / 1e6,
    p99DelayMs: delay.percentile(99) / 1e6,
    cpuMs: (user + system) / 1000,
    rssMb: process.memoryUsage.rss() / 2 ** 20,
  });
});
process.on('disconnect', () => process.exit(0));
process.send?.({ type: 'listening', url: service.url });
