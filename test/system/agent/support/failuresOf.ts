import { yWebsocket } from '../../../../server/agent/check/opener.js';
import { runChecks } from '../../../../server/agent/check/runChecks.js';
import { freePort } from '../../../../server/demo/serviceChild.js';
import { type Fault, startBrokenServer } from './brokenServer.js';

/** The failed checks of a server with this fault, with what was seen. */
export async function failuresOf(fault?: Fault): Promise<Record<string, string>> {
  const listen = { host: '127.0.0.1', port: await freePort() };
  const dashboard = `http://127.0.0.1:${listen.port}`;
  const server = await startBrokenServer({ dashboard, ...(fault && { fault }) });
  // Faults that hang take as long. Without one the deadline is never reached.
  const withinMs = fault ? 10_000 : 60_000;
  try {
    const results = await runChecks({
      url: server.url,
      opener: yWebsocket(server.ws, withinMs),
      listen,
      restart: server.restart,
      sendsBadInput: true,
      withinMs,
      watchMs: 500,
    });
    const failed = results.filter(({ result }) => result === 'fail');
    return Object.fromEntries(failed.map(({ id, seen }) => [id, seen]));
  } finally {
    server.close();
  }
}
