import { useEffect, useRef } from 'preact/hooks';
import { isCurrent } from '../model/fleet.js';
import { askRoomPasts, roomPastsVersion } from './roomPasts.js';

/** How long the rows must stay the same: nothing is asked while people scroll. */
const restMs = 300;
const tickMs = 1000;

/**
 * Keeps the `Sparkline`s of these rooms up to date: those that are in sight, in one request, and again every 30 s.
 * The component renders again when there are new numbers.
 */
export function useSparklines(names: readonly string[]): void {
  roomPastsVersion.value;
  const wanted = useRef(names);
  wanted.current = names;
  const isAsking = useRef(false);
  const key = names.join('\n');
  useEffect(() => {
    const ask = async () => {
      if (isAsking.current || document.hidden || !isCurrent.value) return;
      isAsking.current = true;
      await askRoomPasts(wanted.current, performance.now());
      isAsking.current = false;
    };
    const rest = setTimeout(() => void ask(), restMs);
    const timer = setInterval(() => void ask(), tickMs);
    return () => {
      clearTimeout(rest);
      clearInterval(timer);
    };
  }, [key]);
}
