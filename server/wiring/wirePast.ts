import type { RoomName, ServerId } from '../../machines/ports.js';
import { Activity } from '../activity/activity.js';
import { ActivityBatches } from '../activity/activityBatches.js';
import { RoleActivity } from '../activity/roleActivity.js';
import { divergenceEvent } from '../activity/roomActivity.js';
import { ServerActivity } from '../activity/serverActivity.js';
import { History, type HistorySource } from '../history/history.js';
import type { AgentChange } from '../pubsub/agentInfo.js';
import type { NotedEvent } from '../wire/activityEvent.js';
import type { Fleet } from './wireFleet.js';

/** What the recent past needs from the rest of the instance. */
export interface PastWiringNeeds {
  /** URL of this instance. */
  url: string;
  /** Servers that the configuration names. */
  configured: readonly ServerId[];
  /** Undefined: another instance leads. */
  fleet: () => Fleet | undefined;
  /** The rooms that are watched at this instance. */
  watchedRooms: () => Iterable<RoomName>;
}

/** What keeps the recent past: numbers, and what happened. */
export type PastParts = ReturnType<typeof wirePast>;

/** Creates what keeps the recent past. */
export function wirePast({ url, configured, fleet, watchedRooms }: PastWiringNeeds) {
  const activity = new Activity({ instance: url });
  const note = (event: NotedEvent) => activity.note(event);
  const isConfigured = new Set<string>(configured);
  const servers = new ServerActivity({
    note,
    isConfigured: (server) => isConfigured.has(server),
    now: () => performance.now(),
  });
  const batches = new ActivityBatches((events) => fleet()?.feed.tell('activity', { events }));
  activity.onEvent((event) => batches.add(event));
  const history = new History({ source: () => sourceOf(fleet(), watchedRooms) });
  return {
    activity,
    history,
    servers,
    roles: new RoleActivity(url, note),
    noteAgent: (server: ServerId, { hasRestarted }: AgentChange) => {
      if (hasRestarted) servers.noteRestart(server);
    },
    noteDivergence: (room: RoomName, differing: readonly string[]) =>
      note(divergenceEvent(room, differing)),
    routes: {
      activity: (after: string | undefined) => activity.since(after),
      history: {
        ofFleet: history.ofFleet.bind(history),
        ofServer: history.ofServer.bind(history),
        ofRoom: history.ofRoom.bind(history),
        ofRoomInDetail: history.ofRoomInDetail.bind(history),
      },
    },
    close: () => history.close(),
  };
}

/** What the history reads; undefined: this instance does not count now. */
function sourceOf(
  fleet: Fleet | undefined,
  watchedRooms: () => Iterable<RoomName>,
): HistorySource | undefined {
  const view = fleet?.view;
  if (!view?.watching().isCounting) return undefined;
  return {
    numbers: () => view.state(),
    sizes: () => view.sizes(),
    totals: () => view.totals,
    counts: () => {
      const counts = view.counts();
      return (room) => counts.of(room);
    },
    watchedRooms,
    partsOf: (room) => view.countsOf(room),
  };
}
