import { effect } from '@preact/signals';
import type { FleetHistory } from '../../wire/historyReport.js';
import { ApiFailure, clockSkewMs, getJson } from '../api.js';
import { fillHistory, isCurrent } from './fleet.js';
import type { HistoryPoint } from './history.js';

/** Fills the plots with what the service knows: when the page opens, and after each time without numbers. */
export function startFilling(): void {
  effect(() => {
    if (isCurrent.value) void fillFromService();
  });
}

/** Without an answer, the plots begin now. */
async function fillFromService(): Promise<void> {
  try {
    const [day, minutes] = await Promise.all([
      getJson<FleetHistory>('api/history?step=30'),
      getJson<FleetHistory>('api/history?step=1'),
    ]);
    const bySecond = pointsOf(minutes);
    const from = bySecond[0]?.second ?? Number.POSITIVE_INFINITY;
    const before = pointsOf(day).filter(({ second }) => second + day.step <= from);
    fillHistory([...before, ...bySecond].filter(isNotRepeatedGap));
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
  }
}

/** By the clock of this page. */
function pointsOf({ step, from, connections, rooms }: FleetHistory): HistoryPoint[] {
  if (from === null) return [];
  const first = Math.floor((Date.parse(from) - clockSkewMs.peek()) / 1000);
  return connections.map((count, i) => ({
    second: first + i * step,
    connections: count,
    rooms: rooms[i] ?? null,
  }));
}

/** A gap is one point: the plot goes on with the next number. */
const isNotRepeatedGap = (
  { connections, rooms }: HistoryPoint,
  i: number,
  points: readonly HistoryPoint[],
) => {
  const before = points[i - 1];
  const isGap = connections === null && rooms === null;
  return !isGap || before?.connections !== null || before?.rooms !== null;
};
