import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { owns } from './stage.js';

/** What goes through a forwarder. */
export interface Forwarder {
  url: string;
  /** The request targets that came, before they were changed. */
  readonly targets: string[];
}

/**
 * Forwards requests without a body, such as start-up queries, as if its clients had sent them to the
 * target themselves. Runs for one test.
 */
export async function startForwarder(
  target: string,
  change: (path: string) => string = (path) => path,
): Promise<Forwarder> {
  const { hostname, port } = new URL(target);
  const targets: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method, url: path = '' } = incoming;
    targets.push(path);
    const sent = httpRequest({ method, hostname, port, path: change(path), agent: false });
    sent.on('error', () => outgoing.destroy());
    sent.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(outgoing);
    });
    sent.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owns(server, (it) => {
    it.close();
    it.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, targets };
}
