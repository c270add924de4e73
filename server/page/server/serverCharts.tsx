import type { ActivityEvent } from '../../wire/activityEvent.js';
import type { ServerAgent } from '../../wire/serverView.js';
import { pageMs } from '../api.js';
import { Chart } from '../charts/chart.js';
import { RangeSelect } from '../charts/rangeSelect.js';
import { useMarks } from '../charts/useMarks.js';
import { usePast } from '../charts/usePast.js';
import { isCurrent, numbersOf } from '../model/fleet.js';
import type { ServerRow } from '../model/serverList.js';
import type { Known } from '../model/whatIsKnown.js';
import { KnownNumber } from '../ui/knownNumber.js';
import { toMebibytes } from '../ui/numbers.js';

/** The numbers of a server over time, with its events as marks. What it tells of its process begins with the page. */
export function ServerCharts({
  row,
  events,
}: {
  row: ServerRow;
  events: readonly ActivityEvent[];
}) {
  const { id, agent } = row;
  const memory = agent?.memoryBytes == null ? null : toMebibytes(agent.memoryBytes);
  const delay = agent?.eventLoopDelayMs == null ? null : Math.round(agent.eventLoopDelayMs);
  const { connections, rooms } = numbersOf(row);
  const live = { connections: ofNow(connections), rooms: ofNow(rooms), memory, delay };
  const past = usePast(`server=${encodeURIComponent(id)}`, live);
  const marks = useMarks(events);
  const chart = (title: string, name: string, label: string, value: Known) => (
    <Chart
      title={title}
      value={<KnownNumber number={value} />}
      seconds={past.seconds}
      series={[{ label, color: colors[name] ?? '', values: past.column(name) }]}
      marks={marks}
    />
  );
  return (
    <section class="stack" aria-label="Over time">
      <RangeSelect />
      <div class="server-charts">
        {chart('Connections', 'connections', 'connections', connections)}
        {chart('Rooms', 'rooms', 'rooms', rooms)}
        {memory !== null && chart('Memory (MiB)', 'memory', 'MiB', toldNumber(agent, memory))}
        {delay !== null && chart('Loop delay (ms)', 'delay', 'ms', toldNumber(agent, delay))}
      </div>
    </section>
  );
}

const ofNow = (number: Known): number | null =>
  number.is === 'known' || number.is === 'partial' ? number.value : null;

/** A number that the server told of itself. */
function toldNumber(agent: ServerAgent | undefined, value: number): Known {
  if (isCurrent.value || !agent) return { is: 'known', value };
  return { is: 'past', value, atMs: pageMs(agent.toldAt) };
}

/** As in the overview: they say what is counted, not whose it is. */
const colors: Readonly<Record<string, string>> = {
  connections: 'var(--series-1)',
  rooms: 'var(--series-2)',
  memory: 'var(--series-4)',
  delay: 'var(--series-3)',
};
