import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { owns } from './support.js';

/** How a faulty DynamoDB answers a request. */
export type Fault = (incoming: IncomingMessage, response: ServerResponse, body: Buffer) => void;

/** An endpoint that answers with `fault`, which tests may change. It ends with the test. */
export interface FaultyStore {
  endpoint: string;
  fault: Fault;
  /** Requests so far. */
  requests: number;
}

/** Starts a faulty store on loopback. */
export async function startFaultyStore(fault: Fault): Promise<FaultyStore> {
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    store.requests += 1;
    store.fault(incoming, response, Buffer.concat(chunks));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owns(server, () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const store: FaultyStore = { endpoint, fault, requests: 0 };
  return store;
}

/** Never answers. */
export const hang: Fault = () => {};

/** Sends the head of an answer and never its body. */
export const stall: Fault = (_incoming, response) => {
  response.writeHead(200, { 'Content-Type': json, 'Content-Length': 100 }).write('{"It');
};

/** Sends an answer without end, one space at a time. */
export const trickle: Fault = (_incoming, response) => {
  response.writeHead(200, { 'Content-Type': json });
  const timer = setInterval(() => response.write(' '), 100);
  response.on('close', () => clearInterval(timer));
};

/** Resets the connection. */
export const reset: Fault = (incoming) => incoming.socket.resetAndDestroy();

/** Answers with this body. */
export const answer =
  (body: string, { status = 200, type = json } = {}): Fault =>
  (_incoming, response) =>
    response.writeHead(status, { 'Content-Type': type }).end(body);

/** Answers with an error of DynamoDB. */
export const refuse = (error: string, status = 400): Fault =>
  answer(JSON.stringify({ __type: `${namespace}#${error}`, message: 'so it is' }), { status });

/** Passes the request on to a working DynamoDB. */
export const passTo =
  (endpoint: string): Fault =>
  ({ method, headers }, response, body) => {
    const outgoing = request(endpoint, { method, headers }, (incoming) => {
      response.writeHead(incoming.statusCode ?? 500, incoming.headers);
      incoming.pipe(response);
    });
    outgoing.on('error', () => response.destroy()).end(body);
  };

const json = 'application/x-amz-json-1.0';
const namespace = 'com.amazonaws.dynamodb.v20120810';
