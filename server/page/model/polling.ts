import { computed, effect, signal } from '@preact/signals';
import type { DependencyReport } from '../../wire/dependencyReport.js';
import type { ServerDetails } from '../../wire/serverView.js';
import type { StateReport } from '../../wire/serviceState.js';
import { ApiFailure, getJson, session } from '../api.js';
import { steadyNow } from '../steadyNow.js';
import { retryStreams } from '../stream/connection.js';
import { applyServers, isCurrent, recordHistory, streamStatus } from './fleet.js';

/** The answer of the last poll; undefined: none yet. */
export const service = signal<StateReport | undefined>(undefined);
/** What the instance of this page uses, as it tells without a leader too. */
const ownDependencies = signal<readonly DependencyReport[]>([]);

/** What the instance of this page uses outside itself, and what else the leader uses. */
export const dependencies = computed(() => {
  const own = ownDependencies.value;
  const names = new Set(own.map(({ name }) => name));
  // A leader of an earlier version does not tell.
  const ofLeader = service.value?.dependencies ?? [];
  return [...own, ...ofLeader.filter(({ name }) => !names.has(name))];
});
export const failingDependencies = computed(() =>
  dependencies.value.filter(({ state }) => state === 'fails'),
);

/** Milliseconds since 1970, updated once a second while the tab is visible. */
export const now = signal(steadyNow());

/** From one question to the next. */
export const pollMs = 2000;
const soonMs = 150;

let isPolling = false;
let isFailing = false;

/** Polls for what the stream does not have, while the tab is visible. */
export function startPolling(): void {
  setInterval(() => {
    // In a hidden tab too: a time without points is a gap.
    recordHistory();
    if (!document.hidden) now.value = steadyNow();
  }, 1000);
  setInterval(() => void poll(), pollMs);
  document.addEventListener('visibilitychange', () => void poll());
  // Poll as soon as the session allows it.
  effect(() => void (session.value && poll()));
  // By then the service counts this viewer.
  effect(() => {
    if (isCurrent.value) setTimeout(() => void poll(), soonMs);
  });
}

/** Without a leader this is answered, and the state is not. An instance of an earlier version does not know it. */
async function pollDependencies(): Promise<void> {
  const answer = await getJson<DependencyReport[]>('api/dependencies').catch(() => undefined);
  if (answer && streamStatus.value.kind === 'live') ownDependencies.value = answer;
}

async function poll(): Promise<void> {
  const mayAsk = session.value && (!session.value.required || session.value.signedIn);
  if (document.hidden || isPolling || !mayAsk) return;
  isPolling = true;
  try {
    const [state, servers] = await Promise.all([
      getJson<StateReport>('api/state'),
      getJson<ServerDetails[]>('api/servers'),
      pollDependencies(),
    ]);
    // While the stream is cut, nothing else may say what is there now: all would be of another time.
    if (streamStatus.value.kind === 'live') {
      service.value = state;
      applyServers(servers);
    }
    // The service is back: reconnect without waiting for the backoff.
    if (isFailing && streamStatus.value.kind === 'reconnecting') retryStreams();
    isFailing = false;
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    // The stream's status tells the user.
    isFailing = true;
  } finally {
    isPolling = false;
  }
}
