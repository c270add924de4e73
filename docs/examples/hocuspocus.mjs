// Hocuspocus 3 or 4, reported to the dashboard.
// npm install @hocuspocus/server @pubsub-dashboard/agent yjs
import { Server } from '@hocuspocus/server';
import { Dashboard } from '@pubsub-dashboard/agent/hocuspocus';
import { encodeStateAsUpdate } from 'yjs';

const url = process.env.DASHBOARD_URL ?? 'http://127.0.0.1:8000';

const server = new Server({
  port: Number(process.env.PORT ?? 1234),
  extensions: [new Dashboard({ url, encodeState: encodeStateAsUpdate })],
});

await server.listen();
