import { useState } from 'preact/hooks';
import { clockSkewMs } from '../api.js';
import { isComplete, known } from '../model/fleet.js';
import type { Room } from '../model/roomIndex.js';
import { steadyNow } from '../steadyNow.js';
import { formatNumber } from '../ui/numbers.js';
import type { FileKind } from './saveRooms.js';

/** Saves the listed rooms as a file. */
export function ExportButtons({ rows }: { rows: readonly Room[] }) {
  const [isSaving, setIsSaving] = useState(false);
  const [isFailed, setIsFailed] = useState(false);
  const save = async (kind: FileKind) => {
    setIsSaving(true);
    const { connections } = known.value;
    const atMs = connections.is === 'past' ? connections.atMs : steadyNow();
    const at = new Date(atMs + clockSkewMs.value).toISOString();
    const facts = { at, isComplete: isComplete.value };
    const saving = import('./saveRooms.js').then(({ saveRooms }) => saveRooms(rows, kind, facts));
    await saving.then(
      () => setIsFailed(false),
      () => setIsFailed(true),
    );
    setIsSaving(false);
  };
  const button = (kind: FileKind) => (
    <button
      type="button"
      class="button"
      disabled={isSaving || rows.length === 0}
      title={`Save the ${formatNumber(rows.length)} listed rooms as ${kind.toUpperCase()}`}
      onClick={() => save(kind)}
    >
      {kind.toUpperCase()}
      <span class="visually-hidden"> of the listed rooms</span>
    </button>
  );
  return (
    <fieldset class="export" aria-label="Save the list">
      {button('csv')}
      {button('json')}
      <span class="quiet small" role="status">
        {isSaving && 'Saving …'}
        {isFailed && 'Saving failed. Reload the page, and try again.'}
      </span>
    </fieldset>
  );
}
