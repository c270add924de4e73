import './charts.css';
import { useMemo } from 'preact/hooks';
import { formatNumber } from '../ui/numbers.js';
import { pastLength, type roomPast } from './roomPasts.js';
import { sparkLine } from './sparkPath.js';

const box = { width: 96, height: 18, length: pastLength };

/**
 * The connections of a room in the last hour as a small line. Fills the width of its parent and is 20 pixels high.
 * Empty if the service keeps no history of the room. Needs `useSparklines` in the list, and is drawn again when it
 * renders: pass `past={roomPast(name)}`, which changes with the numbers.
 */
export function Sparkline({ past }: { past: ReturnType<typeof roomPast> }) {
  const line = useMemo(() => past && sparkLine(past, box), [past]);
  if (!past || !line?.end) return <span class="sparkline" />;
  const known = past.filter((number) => number !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const words = `Last hour: ${low === high ? formatNumber(low) : `${formatNumber(low)} to ${formatNumber(high)}`} connections`;
  return (
    <svg
      class="sparkline"
      viewBox={`-1 -1 ${box.width + 2} ${box.height + 2}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={words}
    >
      <title>{words}</title>
      <path d={line.path} />
    </svg>
  );
}
