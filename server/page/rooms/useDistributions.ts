import { useEffect, useRef } from 'preact/hooks';
import { isCurrent, roomsVersion } from '../model/fleet.js';
import { askDistributions, distributionsVersion } from '../model/roomServers.js';

const tickMs = 200;
const busyMs = 1000;
/** Connections can move between servers while the totals stay the same. */
const idleMs = 5000;

/** Refreshes the distributions of the visible rooms, at most once a second. */
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
