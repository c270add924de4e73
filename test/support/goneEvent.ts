import type { NotedEvent } from '../../server/wire/activityEvent.js';

/** An event of the activity: this server is gone. */
export const goneEvent = (name: string): NotedEvent => ({
  kind: 'server.gone',
  level: 'info',
  subject: { type: 'server', name },
  message: `${name} is gone.`,
  cause: null,
});
