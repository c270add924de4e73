import { effect, signal } from '@preact/signals';
import type { ServerView } from '../../wire/serverView.js';
import type { StateReport } from '../../wire/serviceState.js';
import { ApiFailure, getJson, session } from '../api.js';
import { steadyNow } from '../steadyNow.js';
import { retryStreams } from '../stream/connection.js';
import { isCurrent, recordHistory, streamStatus, takeServers } from './fleet.js';

/** What the last poll said; undefined: none has been answered. */
export const service = signal<StateReport | undefined>(undefined);
/** Milliseconds since 1970, once a second while somebody looks. */
export const now = signal(steadyNow());

const pollMs = 2000;
const soonMs = 150;

let isPolling = false;
let isFailing = false;

/** Begins to ask for what the stream does not tell; only a tab that is seen asks. */
export function startPolling(): void {
  setInterval(() => {
    if (document.hidden) return;
    now.value = steadyNow();
    recordHistory();
  }, 1000);
  setInterval(() => void poll(), pollMs);
  document.addEventListener('visibilitychange', () => void poll());
  // The first one as soon as it is known that the page may ask.
  effect(() => void (session.value && poll()));
  // This viewer has just come, or come back, and is counted by now.
  effect(() => {
    if (isCurrent.value) setTimeout(() => void poll(), soonMs);
  });
}

async function poll(): Promise<void> {
  const mayAsk = session.value && (!session.value.required || session.value.signedIn);
  if (document.hidden || isPolling || !mayAsk) return;
  isPolling = true;
  try {
    const [state, servers] = await Promise.all([
      getJson<StateReport>('api/state'),
      getJson<ServerView[]>('api/servers'),
    ]);
    service.value = state;
    takeServers(servers);
    // The service is back, and the stream need not wait for its turn.
    if (isFailing && streamStatus.value.kind === 'reconnecting') retryStreams();
    isFailing = false;
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    // The stream's status says what is wrong.
    isFailing = true;
  } finally {
    isPolling = false;
  }
}
