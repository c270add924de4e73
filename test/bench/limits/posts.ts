/**
 * The limits of taking posts: the same bodies read and parsed by Koa with its router and a body read by
 * hand, or by `node:http` alone, in a process of its own. Nothing is done with them.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Router from '@koa/router';
import Koa from 'koa';
import { answerUsage } from '../usage.js';

function read(req: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => resolve(Buffer.concat(chunks).toString()));
    req.on('error', reject);
  });
}

function bareKoa() {
  const router = new Router();
  router.post('/api/events', async (ctx) => {
    JSON.parse(await read(ctx.req));
    ctx.status = 204;
  });
  return new Koa().use(router.routes()).callback();
}

async function bareHttp(req: IncomingMessage, res: ServerResponse) {
  JSON.parse(await read(req));
  res.writeHead(204).end();
}

const server = createServer(process.argv[2] === 'koa' ? bareKoa() : bareHttp);
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  answerUsage();
  process.send?.({ type: 'listening', url: `http://127.0.0.1:${port}` });
});
