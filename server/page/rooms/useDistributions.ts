import { useEffect, useRef } from 'preact/hooks';
import { isCurrent, roomsVersion } from '../model/fleet.js';
import { askDistributions, distributionsVersion } from '../model/roomServers.js';

const tickMs = 200;
const busyMs = 1000;
/** Connections can move between servers with no count changing. */
const idleMs = 5000;

/** Keeps the distributions of the rooms that are in sight fresh, asking once a second at most. */
export function useDistributions(names: readonly string[]): void {
  distributionsVersion.value;
  const wanted = useRef(names);
  wanted.current = names;
  useEffect(() => {
    let asked = '';
    let askedAtMs = 0;
    let isAsking = false;
    const ask = async () => {
      const key = `${roomsVersion.value} ${wanted.current.join(' ')}`;
      const waitMs = key === asked ? idleMs : busyMs;
      const isDue = performance.now() - askedAtMs >= waitMs;
      if (isAsking || !isDue || document.hidden || !isCurrent.value) return;
      [asked, askedAtMs, isAsking] = [key, performance.now(), true];
      await askDistributions(wanted.current);
      isAsking = false;
    };
    askedAtMs = -busyMs;
    void ask();
    const timer = setInterval(() => void ask(), tickMs);
    return () => clearInterval(timer);
  }, []);
}
