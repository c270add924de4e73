/** Stands between browsers and a service, and disturbs what goes through. */

import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { owns } from '../../../support/stage.js';

/** What happens to a request; undefined: it goes through. */
export type Disturbance =
  /** It is never answered. */
  | 'held'
  /** Its connection is reset. */
  | 'cut'
  | { status: number; type: string; body: string }
  | undefined;

export interface Gate {
  readonly url: string;
  /** Headers that it adds to every request, such as the name of a person. */
  headers: OutgoingHttpHeaders;
  /** Decides for each request by its path, from now on. Streams that are open go on. */
  disturb: (path: string) => Disturbance;
  /** Open streams get nothing more, and stay open. */
  freeze(): void;
  /** Resets all connections. */
  cut(): void;
}

/** Starts a gate in front of a service. It ends with its test. */
export async function startGate(service: { url: string }): Promise<Gate> {
  const answers = new Set<IncomingMessage>();
  const server = createServer((asked, response) => {
    const how = gate.disturb(asked.url ?? '');
    if (how === 'held') return;
    if (how === 'cut') asked.socket.resetAndDestroy();
    else if (how) response.writeHead(how.status, { 'Content-Type': how.type }).end(how.body);
    else forward(asked, response);
  });
  function forward(asked: IncomingMessage, response: ServerResponse): void {
    const { method = 'GET', url = '' } = asked;
    const headers = { ...asked.headers, ...gate.headers };
    const passed = request(`${service.url}${url}`, { method, headers }, (answer) => {
      answers.add(answer);
      answer.on('close', () => answers.delete(answer));
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    response.on('close', () => passed.destroy());
    asked.pipe(passed);
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const gate: Gate = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    headers: {},
    disturb: () => undefined,
    freeze: () => {
      for (const answer of answers) answer.unpipe();
    },
    cut: () => server.closeAllConnections(),
  };
  return owns(gate, () => {
    server.close();
    server.closeAllConnections();
  });
}
