import { z } from 'zod';
import { causeOf } from '../causeOf.js';
import { startPubSubServer } from './pubSubServer.js';

/** A message from the parent to a server process. */
export type ServerProcessRequest = { type: 'connections'; request: number } | { type: 'stop' };

/** A message from a server process. Entries instead of objects, because a room may be called `__proto__`. */
export type ServerProcessMessage =
  | { type: 'listening'; id: string; url: string; port: number }
  | { type: 'failed'; cause: string }
  | { type: 'connections'; request: number; connections: [room: string, connections: number][] };

/** The only argument: `PubSubServerOptions` as JSON, without `redisUrl`, which may hold a password. */
const optionsSchema = z.strictObject({
  host: z.string().exactOptional(),
  port: z.number().int().exactOptional(),
  kind: z.enum(['y-websocket', 'own']).exactOptional(),
  name: z.string().exactOptional(),
  dashboardUrl: z.url().exactOptional(),
  forgetAfterMs: z.number().exactOptional(),
  deadlineMs: z.number().exactOptional(),
  store: z
    .strictObject({
      tables: z.strictObject({ rooms: z.string(), servers: z.string(), connections: z.string() }),
      endpoint: z.url().exactOptional(),
      address: z.string().exactOptional(),
      heartbeatMs: z.number().exactOptional(),
    })
    .exactOptional(),
});

// The parent may have been killed.
process.on('disconnect', () => process.exit(0));
run().catch((cause: unknown) => {
  send({ type: 'failed', cause: causeOf(cause) });
  process.exitCode = 1;
  if (process.connected) process.disconnect();
});

async function run(): Promise<void> {
  const options = optionsSchema.parse(JSON.parse(process.argv[2] ?? '{}'));
  const redisUrl = process.env.PUBSUB_SERVER_REDIS_URL;
  const server = await startPubSubServer({ ...options, ...(redisUrl && { redisUrl }) });
  const stop = () => void server.close().then(() => process.exit(0));

  process.on('message', (message: ServerProcessRequest) => {
    if (message.type === 'stop') stop();
    if (message.type === 'connections') {
      const { request } = message;
      send({ type: 'connections', request, connections: [...server.connections()] });
    }
  });
  process.on('SIGTERM', stop);
  // Ctrl-C reaches the whole process group. If there is a parent, it decides when to stop.
  process.on('SIGINT', process.send ? () => undefined : stop);
  send({ type: 'listening', id: server.id, url: server.url, port: server.port });
}

/** Without a parent, prints the message as a line of JSON. */
function send(message: ServerProcessMessage): void {
  if (process.send) process.send(message);
  else process.stdout.write(`${JSON.stringify(message)}\n`);
}
