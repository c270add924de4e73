import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { eventually } from './eventually.js';

/** A listener of TCP whose system answers no more connections until it accepts. */
export interface LateListener {
  port: number;
  /** Accepts what waits, and everything later. */
  accept: () => void;
  /** What arrived on all connections before a text that this sends. */
  receivedBefore: (text: string) => Promise<string>;
  stop: () => Promise<void>;
}

/** Runs in a thread of its own, which it blocks: so the system keeps the connections in its queue, which is short. */
const code = `
const { parentPort, workerData } = require('node:worker_threads');
const received = [];
const server = require('node:net').createServer((socket) => {
  const i = received.push('') - 1;
  socket.on('data', (data) => { received[i] += data.toString('latin1'); });
  socket.on('error', () => {});
});
parentPort.on('message', () => parentPort.postMessage({ received }));
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage({ port: server.address().port });
  Atomics.wait(workerData, 0, 0);
});`;

/** Starts a listener, and fills its queue. */
export async function startLateListener(): Promise<LateListener> {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(code, { eval: true, workerData: gate });
  const next = <T>() => new Promise<T>((resolve) => worker.once('message', resolve));
  const { port } = await next<{ port: number }>();
  const fillers: Socket[] = [];
  // Connections that the queue has no place for are not answered.
  await eventually(() => {
    fillers.push(connect(port, '127.0.0.1').on('error', () => {}));
    if (fillers.filter(({ connecting }) => connecting).length < 3) throw new Error('not full yet');
  });
  return {
    port,
    accept: () => {
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
    },
    receivedBefore: async (text) => {
      const sent = connect(port, '127.0.0.1', () => sent.write(text));
      fillers.push(sent);
      return eventually(async () => {
        const answer = next<{ received: string[] }>();
        worker.postMessage('tell');
        const { received } = await answer;
        // Not always the last: a connection that found the queue full is tried again seconds later.
        if (!received.includes(text)) throw new Error('not there yet');
        return received.filter((each) => each !== text).join('');
      });
    },
    stop: async () => {
      for (const filler of fillers) filler.destroy();
      await worker.terminate();
    },
  };
}
