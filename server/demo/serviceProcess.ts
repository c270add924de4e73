/** Runs the service in a child process that stops when the demo is killed. */

process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// Otherwise the listener above would keep the process alive.
process.channel?.unref();

await import('../main.js');
