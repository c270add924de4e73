import { useState } from 'preact/hooks';

/**
 * One row of a list is reached by Tab, the others by the arrow keys, Home and End. Enter follows the row's
 * first link. `ids`: those of the rows in order; `attribute`: the attribute of a row that has its id.
 */
export function useListKeys(ids: readonly string[], attribute: string) {
  const [active, setActive] = useState<string>();
  const tabbed = active !== undefined && ids.includes(active) ? active : ids[0];
  const rowOf = (target: EventTarget | null) =>
    target instanceof Element ? target.closest<HTMLElement>(`[${attribute}]`) : null;
  const onFocusIn = ({ target }: FocusEvent) => {
    const id = rowOf(target)?.getAttribute(attribute);
    if (id != null) setActive(id);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const row = rowOf(event.target);
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Enter' && row === event.target)
      row.querySelector<HTMLElement>('a, button')?.click();
    const at = ids.indexOf(row.getAttribute(attribute) ?? '');
    const next = ids[nextIndex(event.key, at, ids.length) ?? -1];
    if (next === undefined) return;
    event.preventDefault();
    row.parentElement?.querySelector<HTMLElement>(`[${attribute}="${CSS.escape(next)}"]`)?.focus();
  };
  return { tabbed, handlers: { onFocusIn, onKeyDown } };
}

/** The row that a key leads to; undefined: the key does not move. */
export function nextIndex(key: string, at: number, count: number): number | undefined {
  const wanted = new Map([
    ['ArrowDown', at + 1],
    ['ArrowUp', at - 1],
    ['Home', 0],
    ['End', count - 1],
  ]).get(key);
  return wanted === undefined ? undefined : Math.max(0, Math.min(count - 1, wanted));
}
