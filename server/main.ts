import process from 'node:process';

// The first process of a container has no default signal handlers, and loses signals that arrive before
// these. So they come before everything else is loaded. Until the service runs, there is nothing to stop.
let end: (signal: NodeJS.Signals) => void = () => process.exit(0);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end(signal));

const { runService } = await import('./runService.js');
await runService(process.env, (ending) => {
  end = ending;
});
