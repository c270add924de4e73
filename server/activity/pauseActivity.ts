import type { NotedEvent } from '../wire/activityEvent.js';

/** Makes the event of a pause of the instance with this URL. */
export function pauseEvent(url: string, seconds: number): NotedEvent {
  return {
    kind: 'instance.paused',
    level: 'warning',
    subject: { type: 'instance', name: url },
    message: `Instance ${url} was paused for ${seconds} s. It has asked all servers again.`,
    cause: 'its process was stopped, its machine was suspended, or it was too busy to run',
  };
}
