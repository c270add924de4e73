import { useEffect, useState } from 'preact/hooks';
import type { Layout, Layouts } from './layout.js';

let loaded: Layouts | undefined;

/** The layout of a machine. Undefined: it is not loaded yet, it cannot be loaded, or the page has none. */
export function useLayout(machine: string, hasActions: boolean): Layout | undefined {
  const [layouts, setLayouts] = useState(loaded);
  useEffect(() => {
    let isGone = false;
    const keep = (all: Layouts) => {
      loaded = all;
      if (!isGone) setLayouts(all);
    };
    // Without it, the list is shown.
    if (!loaded)
      import('virtual:statechart-layouts').then((module) => keep(module.default)).catch(() => {});
    return () => {
      isGone = true;
    };
  }, []);
  return layouts?.[machine]?.[hasActions ? 'withActions' : 'plain'];
}
