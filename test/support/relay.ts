/** A relay from real pub-sub servers to a service (its `PUBLIC_URL`). It can lose or delay deltas. */

import { Agent, createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { freePort } from '../../server/demo/serviceChild.js';
import { owns } from './stage.js';

/** A delta that a server posted. */
export interface Relayed {
  room: string;
  add: number;
}

export interface Relay {
  /** Variables for the service. */
  readonly env: { PORT: string; PUBLIC_URL: string };
  /** All deltas that it received. */
  readonly seen: Relayed[];
  /** Decides for each delta: the delay in ms, or `lost`. The default is no delay. */
  decide: (delta: Relayed) => number | 'lost';
  /** Resolves when no delta is delayed. */
  settled(): Promise<void>;
}

/** Starts a relay. It ends with its test. */
export async function startRelay(): Promise<Relay> {
  const port = await freePort();
  const agent = new Agent({ keepAlive: false });
  const underWay = new Set<Promise<void>>();
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const delta = JSON.parse(body) as Relayed;
    relay.seen.push(delta);
    const fate = relay.decide(delta);
    // Answers at once. Servers never retry a post.
    response.writeHead(fate === 'lost' ? 502 : 204).end();
    if (fate === 'lost') return;
    const passed = pass(`http://127.0.0.1:${port}${request.url}`, body, fate).finally(() =>
      underWay.delete(passed),
    );
    underWay.add(passed);
  });
  async function pass(url: string, body: string, delayMs: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    await new Promise<void>((resolve) => {
      const outgoing = httpRequest(url, { method: 'POST', agent });
      outgoing.on('response', (answer) => answer.resume().on('end', resolve));
      // The service has ended, so the delta is lost.
      outgoing.on('error', () => resolve());
      outgoing.end(body);
    });
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const relay: Relay = {
    env: {
      PORT: String(port),
      PUBLIC_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    },
    seen: [],
    decide: () => 0,
    settled: async () => {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
  return owns(relay, async () => {
    await relay.settled();
    agent.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
}
