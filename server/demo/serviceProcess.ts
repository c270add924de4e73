// The service in a process of the demo: as it is, but never left behind by a demo that was killed.
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// Listening for it must not be what keeps the process alive.
process.channel?.unref();

await import('../main.js');
