import { useEffect, useMemo, useState } from 'preact/hooks';
import type { RoomLog } from '../../wire/logEntry.js';
import { getJson } from '../api.js';
import { encodedName } from '../model/roomNames.js';
import { openStream } from '../stream/connection.js';
import type { StreamStatus } from '../stream/messages.js';
import { readLog } from './readLog.js';
import { RoomSession } from './roomSession.js';

/** The path of a room's resource. The name is in the query, because proxies do not change it there. */
export const roomPath = (name: string, part: string) =>
  `api/room/${part}?room=${encodedName(name)}`;

/** Intervals of rendering, and of removing expired highlights. */
const showMs = 60;
const expireMs = 250;

/** Watches a room while the component is mounted. Renders at most every 60 ms. */
export function useRoom(name: string): { session: RoomSession; stream: StreamStatus } {
  const [, setShown] = useState(0);
  const [stream, setStream] = useState<StreamStatus>({ kind: 'connecting' });
  const session = useMemo(
    () => new RoomSession(batched(() => setShown((count) => count + 1))),
    [name],
  );

  useEffect(() => {
    let isLive = false;
    let isClosed = false;
    const noteStatus = (status: StreamStatus) => {
      setStream(status);
      const wasLive = isLive;
      isLive = status.kind === 'live' || (isLive && status.kind === 'stale');
      if (!isLive || wasLive) return;
      session.startConnection();
      void readLog({
        ask: async () => (await getJson<RoomLog>(roomPath(name, 'log'))).entries,
        add: (entries) => session.addLog(entries),
        isWanted: () => isLive && !isClosed,
      });
    };
    const close = openStream(
      `${roomPath(name, 'events')}&as=updates&awareness=changes`,
      ({ event, data }) => session.handle(event, data),
      noteStatus,
    );
    const expiring = setInterval(() => session.expire(), expireMs);
    return () => {
      isClosed = true;
      close();
      clearInterval(expiring);
      session.close();
    };
  }, [session]);
  return { session, stream };
}

/** Turns many calls into one, `showMs` later. */
function batched(act: () => void): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    setTimeout(() => {
      isDue = false;
      act();
    }, showMs);
  };
}
