import { effect, signal } from '@preact/signals';
import type { ActivityEvent } from '../../wire/activityEvent.js';
import { ApiFailure, getJson } from '../api.js';
import { isCurrent } from './fleet.js';
import { mergedEvents } from './mergedEvents.js';

/** The events that the service has kept, and those that arrived since. Oldest first. */
export const activity = signal<readonly ActivityEvent[]>([]);
/** Whether the service has answered with the events that it keeps. Before, `activity` has only those of the stream. */
export const isActivityKnown = signal(false);
/** Why the service did not tell; undefined: it did, or was not asked yet. */
export const activityFailure = signal<ApiFailure | undefined>(undefined);

let isKept = false;

/** Asks the service for what it keeps, and again after each time without a stream. For views that show it. */
export function keepActivity(): void {
  if (isKept) return;
  isKept = true;
  effect(() => {
    isCurrent.value;
    void loadActivity();
  });
}

/** Asks the service once. */
export async function loadActivity(): Promise<void> {
  try {
    takeEvents(await getJson<ActivityEvent[]>('api/activity'));
    activityFailure.value = undefined;
    isActivityKnown.value = true;
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    activityFailure.value = error;
  }
}

/** Adds events. Known ones are ignored. */
export function takeEvents(events: readonly ActivityEvent[]): void {
  activity.value = mergedEvents(activity.peek(), events);
}
