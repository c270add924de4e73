/** Loaded before the service. Takes every free descriptor, now and later, when a test asks. */

import { Worker } from 'node:worker_threads';

// In a thread, to take descriptors between two steps of the service.
const code = `
const { openSync, closeSync } = require('node:fs');
const { workerData: shared } = require('node:worker_threads');
const flags = new Int32Array(shared);
const taken = [];
for (;;) {
  Atomics.wait(flags, 0, 0);
  while (Atomics.load(flags, 0) === 1) {
    try {
      taken.push(openSync('/dev/null'));
    } catch {}
  }
  for (const file of taken.splice(0)) closeSync(file);
  Atomics.store(flags, 1, 0);
  Atomics.notify(flags, 1);
}`;

const flags = new Int32Array(new SharedArrayBuffer(8));
new Worker(code, { eval: true, workerData: flags.buffer }).unref();

process.on('message', ({ hog }: { hog?: boolean }) => {
  if (hog === undefined) return;
  Atomics.store(flags, 0, hog ? 1 : 0);
  Atomics.notify(flags, 0);
  process.send?.({ type: 'answer', value: hog });
});
