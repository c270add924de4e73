// Hocuspocus 2, reported to the dashboard.
// npm install @hocuspocus/server@2 @pubsub-dashboard/agent yjs y-protocols
import { Server } from '@hocuspocus/server';
import { Dashboard } from '@pubsub-dashboard/agent/hocuspocus';
import { encodeStateAsUpdate } from 'yjs';

const url = process.env.DASHBOARD_URL ?? 'http://127.0.0.1:8000';

Server.configure({
  port: Number(process.env.PORT ?? 1234),
  extensions: [new Dashboard({ url, encodeState: encodeStateAsUpdate })],
});

await Server.listen();
