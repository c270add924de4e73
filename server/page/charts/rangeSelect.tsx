import './charts.css';
import { useEffect } from 'preact/hooks';
import { query } from '../router.js';
import { type RangeKind, rangeWords } from './ranges.js';
import { allRanges, chooseRange, kindAmong, syncRange, zoomBack, zooms } from './view.js';

/** Chooses how far back all charts of the page go. While a part is zoomed to, a button goes back. */
export function RangeSelect({ kinds = allRanges }: { kinds?: readonly RangeKind[] }) {
  const chosen = kindAmong(kinds);
  useEffect(syncRange, [query.value]);
  return (
    <div class="range-select">
      <span class="range-hint quiet small" aria-hidden="true">
        Drag in a chart to zoom in
      </span>
      <span id="chart-keys" class="visually-hidden">
        Arrow keys move through time. Plus zooms in, minus and Escape go back.
      </span>
      {zooms.value.length > 0 && (
        <button type="button" class="button range-back" onClick={zoomBack}>
          Zoom out
        </button>
      )}
      <fieldset class="ranges">
        <legend class="visually-hidden">How far back the charts go</legend>
        {kinds.map((kind) => (
          <label key={kind} title={rangeWords[kind].long}>
            <input
              type="radio"
              class="range-input"
              name="range"
              value={kind}
              checked={kind === chosen}
              aria-label={rangeWords[kind].long}
              onChange={() => chooseRange(kind)}
            />
            <span class="range-name">{rangeWords[kind].short}</span>
          </label>
        ))}
      </fieldset>
    </div>
  );
}
