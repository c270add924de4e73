import { useEffect, useRef, useState } from 'preact/hooks';
import type { ChartState } from './chart.js';
import { marksAfter, movesBetween, type Occupancy } from './occupancy.js';

/** What moved, to be shown. */
export interface Shown {
  /** Paths of the states that were entered last. */
  readonly entered: ReadonlySet<string>;
  /** Keys of the transitions that were taken, with the number of the look that found it. */
  readonly taken: ReadonlyMap<string, number>;
  /** Grows with every change. */
  readonly look: number;
}

const nothing: Shown = { entered: new Set(), taken: new Map(), look: 0 };

/** What moved. Of one actor, transitions stay until it leaves where they led. Another actor begins without. */
export function useMoves(
  chart: ChartState,
  occupancy: Occupancy,
  { about, isOne }: { about: string | undefined; isOne: boolean },
): Shown {
  const before = useRef<{ about: string | undefined; occupancy: Occupancy } | undefined>(undefined);
  const [shown, setShown] = useState(nothing);
  const key = JSON.stringify([about, ...occupancy]);
  useEffect(() => {
    const last = before.current;
    before.current = { about, occupancy };
    if (!last || last.about !== about) {
      setShown(({ look }) => ({ ...nothing, look: look + 1 }));
      return;
    }
    const { entered, taken } = movesBetween(chart, last.occupancy, occupancy);
    setShown((earlier) => {
      const look = earlier.look + 1;
      const found = { taken, now: occupancy, look, isKept: isOne };
      return { entered, taken: marksAfter(chart, earlier.taken, found), look };
    });
  }, [key]);
  return shown;
}
