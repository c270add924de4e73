import { computed, effect } from '@preact/signals';
import type { RoomHistory } from '../../wire/historyReport.js';
import { ApiFailure, clockSkewMs, getJson } from '../api.js';
import { joined, pointsOf, type Stored } from '../charts/storedPast.js';
import type { TimePoint } from '../charts/timeline.js';
import { blankHistory, fillHistory, isCurrent } from './fleet.js';
import { service } from './polling.js';
import { serverPrefix } from './serverColumn.js';

/**
 * What the service knows of the past: of the fleet, or of what the query names, such as `server=<id>`. Empty without
 * an answer: charts begin now. Of a room there are half minutes only.
 */
export async function storedPast(
  names: readonly string[],
  query = '',
): Promise<readonly TimePoint[]> {
  const ask = async (step: 1 | 30) => {
    const path = `api/history?step=${step}${query === '' ? '' : `&${query}`}`;
    return pointsOf(await getJson<Stored>(path), names, clockSkewMs.peek());
  };
  try {
    if (query.startsWith('room=')) return await roomPast(query);
    const [day, minutes] = await Promise.all([ask(30), ask(1)]);
    return joined(day, minutes);
  } catch (error) {
    if (error instanceof ApiFailure) return [];
    throw error;
  }
}

/** Of a room that is watched also by server, as `server <id>`. */
async function roomPast(query: string): Promise<readonly TimePoint[]> {
  const { servers = {}, ...stored } = await getJson<RoomHistory>(`api/history?step=30&${query}`);
  const byServer = Object.fromEntries(
    Object.entries(servers).map(([id, numbers]) => [serverPrefix + id, numbers]),
  );
  const names = ['connections', 'complete', ...Object.keys(byServer)];
  return pointsOf({ ...stored, ...byServer }, names, clockSkewMs.peek());
}

/**
 * Calls `fill` when the service may know what the page does not: now, after each time without numbers, and when the
 * tab becomes visible, because browsers slow down hidden ones. Returns how to stop.
 */
export function whenPastIsDue(fill: () => void): () => void {
  const onVisible = () => {
    if (document.visibilityState === 'visible' && isCurrent.peek()) fill();
  };
  const stop = effect(() => {
    if (isCurrent.value) fill();
  });
  document.addEventListener('visibilitychange', onVisible);
  return () => {
    stop();
    document.removeEventListener('visibilitychange', onVisible);
  };
}

/** When the last pause of the service ended; null: it had none. */
const pauseEndedAt = computed(() => service.value?.lastPause?.endedAt ?? null);

/** Calls `blank` with the times of a pause of the service, by the clock of this page. Returns how to stop. */
export function whenPaused(blank: (fromMs: number, toMs: number) => void): () => void {
  return effect(() => {
    if (pauseEndedAt.value === null) return;
    const endMs = Date.parse(pauseEndedAt.value) - clockSkewMs.peek();
    blank(endMs - (service.peek()?.lastPause?.seconds ?? 0) * 1000, endMs);
  });
}

/** Fills the charts of the fleet with what the service knows, and leaves out what it could not know. */
export function startFilling(): void {
  whenPastIsDue(async () => fillHistory(await storedPast(['connections', 'rooms', 'complete'])));
  whenPaused(blankHistory);
}
