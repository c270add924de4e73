import type { ActivityEvent } from '../../wire/activityEvent.js';
import { Chart } from '../charts/chart.js';
import { RangeSelect } from '../charts/rangeSelect.js';
import { useMarks } from '../charts/useMarks.js';
import { usePast } from '../charts/usePast.js';
import type { ServerRow } from '../model/serverList.js';
import { Count } from '../ui/count.js';

const mebibyte = 1024 * 1024;

/** The numbers of a server over time, with its events as marks. What it tells of its process begins with the page. */
export function ServerCharts({
  row,
  events,
}: {
  row: ServerRow;
  events: readonly ActivityEvent[];
}) {
  const { id, connections, rooms, agent } = row;
  const memory = agent?.memoryBytes == null ? null : Math.round(agent.memoryBytes / mebibyte);
  const delay = agent?.eventLoopDelayMs == null ? null : Math.round(agent.eventLoopDelayMs);
  const past = usePast(`server=${encodeURIComponent(id)}`, { connections, rooms, memory, delay });
  const marks = useMarks(events);
  const chart = (title: string, name: string, label: string, value: number | null) => (
    <Chart
      title={title}
      value={<Count value={value} />}
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
        {memory !== null && chart('Memory (MiB)', 'memory', 'MiB', memory)}
        {delay !== null && chart('Loop delay (ms)', 'delay', 'ms', delay)}
      </div>
    </section>
  );
}

/** As in the overview: they say what is counted, not whose it is. */
const colors: Readonly<Record<string, string>> = {
  connections: 'var(--series-1)',
  rooms: 'var(--series-2)',
  memory: 'var(--series-4)',
  delay: 'var(--series-3)',
};
