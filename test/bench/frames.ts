/** An event of Chromium's trace; times in microseconds. */
export interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  ts: number;
  dur?: number;
  /** Processor time. */
  tdur?: number;
  args?: { name?: string };
}

/** What the main thread did for one frame, in milliseconds. */
export interface Frame {
  /** Processor time: what other processes take is not in it. */
  cpuMs: number;
  /** From the beginning to the end of each task. */
  wallMs: number;
}

const isTask = ({ name }: TraceEvent) => name === 'RunTask';
/** Where rows are drawn, there is one. */
const isLayout = ({ name }: TraceEvent) => name === 'Layout';
/** The end of what the main thread does for a frame. */
const isCommit = ({ name }: TraceEvent) => name === 'Commit';

/**
 * The frames of the main thread that drew most of them: scripts, style, layout, paint and everything else that ran
 * since the previous frame. The first one has no beginning and is left out, as are those that drew no row.
 */
export function framesOf(events: readonly TraceEvent[]): Frame[] {
  const own = busiestMainThread(events);
  const commits = own.filter(isCommit).map(({ ts }) => ts);
  const frames = commits.map(() => ({ cpuMs: 0, wallMs: 0, isDrawn: false }));
  const layouts = own.filter(isLayout).map(({ ts }) => ts);
  let layout = 0;
  let index = 0;
  for (const { ts, dur = 0, tdur } of outermost(own.filter(isTask))) {
    while ((commits[index] ?? Number.POSITIVE_INFINITY) < ts) index += 1;
    const frame = frames[index];
    if (!frame) break;
    if (tdur === undefined) throw new Error('the trace has no processor times');
    frame.cpuMs += tdur / 1000;
    frame.wallMs += dur / 1000;
    while ((layouts[layout] ?? Number.POSITIVE_INFINITY) <= ts + dur) {
      frame.isDrawn = true;
      layout += 1;
    }
  }
  return frames.slice(1).filter(({ isDrawn }) => isDrawn);
}

/** The events of the main thread with most frames, by time. */
function busiestMainThread(events: readonly TraceEvent[]): TraceEvent[] {
  const threadOf = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
  const mains = new Set(
    events
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(threadOf),
  );
  const isRead = (event: TraceEvent) => isTask(event) || isCommit(event) || isLayout(event);
  const eventsOf = (thread: string) =>
    events.filter((event) => threadOf(event) === thread && isRead(event));
  const drawn = (of: readonly TraceEvent[]) => of.filter(isCommit).length;
  const [busiest = []] = [...mains].map(eventsOf).sort((a, b) => drawn(b) - drawn(a));
  return busiest.sort((a, b) => a.ts - b.ts);
}

/** Tasks inside of others are counted with them. */
function outermost(tasks: readonly TraceEvent[]): TraceEvent[] {
  let end = 0;
  return tasks.filter(({ ts, dur = 0 }) => {
    if (ts < end) return false;
    end = ts + dur;
    return true;
  });
}

/** The value below which so many percent are. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const index = Math.ceil((percent / 100) * sorted.length) - 1;
  return sorted[Math.max(0, index)] ?? Number.NaN;
}
