import { useEffect, useMemo, useReducer } from 'preact/hooks';
import { isCurrent, unknownSinceMs } from '../model/fleet.js';
import { storedPast, whenPastIsDue, whenPaused } from '../model/past.js';
import { now } from '../model/polling.js';
import { Timeline, type Values } from './timeline.js';

type Live = Values | ((names: readonly string[]) => Values);

/**
 * The numbers of a server or a room over time: what the service knows of the past, then `live`, once a second while
 * the numbers of the page are current. `query` is that of `GET /api/history`: `server=<id>`, percent-encoded. Names
 * in `live` are those of its answer; others, such as one for each server of a room, begin with the page.
 * Undefined: not asked yet. A function is given the names so far.
 */
export function usePast(query: string, live: Live | undefined): Timeline {
  const [, draw] = useReducer<number, void>((times) => times + 1, 0);
  const timeline = useMemo(() => new Timeline(), [query]);
  const names = query.startsWith('room=') ? roomNames : serverNames;
  useEffect(
    () =>
      whenPastIsDue(async () => {
        timeline.fill(await storedPast(names, query));
        draw();
      }),
    [timeline],
  );
  useEffect(() => whenPaused((fromMs, toMs) => timeline.blank(fromMs, toMs)), [timeline]);
  const nowMs = now.value;
  useEffect(() => {
    if (!isCurrent.peek()) timeline.cut(unknownSinceMs());
    else if (live) timeline.record(nowMs, typeof live === 'function' ? live(timeline.names) : live);
    draw();
  }, [timeline, nowMs]);
  return timeline;
}

const roomNames = ['connections'];
const serverNames = ['connections', 'rooms'];
