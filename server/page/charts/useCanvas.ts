import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { type Drawn, dataOf, optionsOf, plotHeight } from './drawing.js';

/** Draws lines into an element of so many pixels, and again whenever the component renders. */
export function useCanvas(
  box: { readonly current: HTMLElement | null },
  width: number,
  drawn: Drawn,
): { readonly current: uPlot | null } {
  const plot = useRef<uPlot>(null);
  const latest = useRef(drawn);
  latest.current = drawn;
  const theme = useTheme();
  const isShown = width > 0;
  const colors = drawn.colors.join();
  useEffect(() => {
    if (!box.current || !isShown) return undefined;
    const options = optionsOf(box.current, width, () => latest.current);
    const made = new uPlot(options, dataOf(latest.current), box.current);
    plot.current = made;
    return () => {
      made.destroy();
      plot.current = null;
    };
  }, [isShown, theme, colors]);
  useEffect(() => {
    if (isShown) plot.current?.setSize({ width, height: plotHeight });
  }, [width]);
  useEffect(() => {
    plot.current?.setData(dataOf(drawn));
  });
  return plot;
}

/** Grows when the colors of the page change: by the system, or by a switch, which sets an attribute of the root. */
function useTheme(): number {
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    const note = () => setChanges((count) => count + 1);
    const query = matchMedia('(prefers-color-scheme: dark)');
    const observer = new MutationObserver(note);
    query.addEventListener('change', note);
    observer.observe(document.documentElement, { attributes: true });
    return () => {
      query.removeEventListener('change', note);
      observer.disconnect();
    };
  }, []);
  return changes;
}
