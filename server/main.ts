import process from 'node:process';

// The first process of a container has no default handlers: a signal that comes before these is lost.
// So nothing is loaded before they are there, and until there is a service there is nothing to end.
let end: (signal: NodeJS.Signals) => void = () => process.exit(0);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end(signal));

const { runService } = await import('./runService.js');
await runService(process.env, (ending) => {
  end = ending;
});
