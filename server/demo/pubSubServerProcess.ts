import { z } from 'zod';
import { startPubSubServer } from './pubSubServer.js';

/** What the fleet asks of a server process. */
export type ServerProcessRequest = { type: 'connections'; request: number } | { type: 'stop' };

/** What a server process tells the fleet. Entries, not objects: a room may be called `__proto__`. */
export type ServerProcessMessage =
  | { type: 'listening'; id: string; url: string; port: number }
  | { type: 'failed'; cause: string }
  | { type: 'connections'; request: number; connections: [room: string, connections: number][] };

// The one argument: PubSubServerOptions as JSON, but for what may hold a password.
const optionsSchema = z.strictObject({
  host: z.string().exactOptional(),
  port: z.number().int().exactOptional(),
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

// Without a parent to tell it to, the process says where it listens as a line of JSON.
const tell = (message: ServerProcessMessage) => {
  if (process.send) process.send(message);
  else process.stdout.write(`${JSON.stringify(message)}\n`);
};

const run = async () => {
  const options = optionsSchema.parse(JSON.parse(process.argv[2] ?? '{}'));
  const redisUrl = process.env.PUBSUB_SERVER_REDIS_URL;
  const server = await startPubSubServer({ ...options, ...(redisUrl && { redisUrl }) });
  const stop = () => void server.close().then(() => process.exit(0));

  process.on('message', (message: ServerProcessRequest) => {
    if (message.type === 'stop') stop();
    if (message.type === 'connections') {
      const { request } = message;
      tell({ type: 'connections', request, connections: [...server.connections()] });
    }
  });
  process.on('SIGTERM', stop);
  // Ctrl-C reaches the whole process group: with a parent, the parent decides when to stop.
  process.on('SIGINT', process.send ? () => undefined : stop);
  tell({ type: 'listening', id: server.id, url: server.url, port: server.port });
};

// A server outlives nobody: when the parent is gone, however it went, so is this process.
process.on('disconnect', () => process.exit(0));
run().catch((cause: unknown) => {
  tell({ type: 'failed', cause: cause instanceof Error ? cause.message : String(cause) });
  process.exitCode = 1;
  if (process.connected) process.disconnect();
});
