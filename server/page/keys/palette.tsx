import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Modal } from './modal.js';
import { type Entry, paletteGroups } from './paletteEntries.js';
import { overlay } from './useKeys.js';

/** Finds rooms, servers, views and actions by their names. */
export function Palette() {
  const [typed, setTyped] = useState('');
  const [activeIndex, setActiveIndex] = useState(0);
  // What is found stays while one chooses, although counts change.
  const groups = useMemo(() => paletteGroups(typed), [typed]);
  const entries = groups.flatMap((group) => group.entries);
  const active = entries[Math.min(activeIndex, entries.length - 1)];
  useActiveInSight(active);
  const choose = (entry: Entry | undefined) => {
    if (!entry) return;
    overlay.value = undefined;
    // First the dialog gives the focus back.
    setTimeout(entry.run);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const to = indexAfter(event.key, activeIndex, entries.length);
    if (to !== undefined) setActiveIndex(to);
    else if (event.key === 'Enter' && !event.isComposing) choose(active);
    else return;
    event.preventDefault();
  };
  return (
    <Modal label="Find" class="palette">
      <input
        type="text"
        class="input"
        role="combobox"
        aria-label="Find rooms, servers, views and actions"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={active && idOf(active)}
        aria-autocomplete="list"
        placeholder="Rooms, servers, views, actions"
        autocomplete="off"
        spellcheck={false}
        value={typed}
        onInput={({ currentTarget }) => {
          setTyped(currentTarget.value);
          setActiveIndex(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div id="palette-list" class="palette-list" role="listbox" aria-label="Found">
        {groups.map(({ title, entries: found }) => (
          // biome-ignore lint/a11y/useSemanticElements: a group in a list box, not a group of form fields.
          <div key={title} role="group" aria-label={title}>
            <div class="palette-title" aria-hidden="true">
              {title}
            </div>
            {found.map((entry) => (
              <Option
                key={entry.key}
                entry={entry}
                isActive={entry === active}
                onChoose={() => choose(entry)}
                onPoint={() => setActiveIndex(entries.indexOf(entry))}
              />
            ))}
          </div>
        ))}
      </div>
      {entries.length === 0 && <p class="empty">Nothing is called like this.</p>}
    </Modal>
  );
}

const idOf = ({ key }: Entry) => `palette ${key}`.replace(/\s/g, '-');

function Option({
  entry,
  isActive,
  onChoose,
  onPoint,
}: {
  entry: Entry;
  isActive: boolean;
  onChoose: () => void;
  onPoint: () => void;
}) {
  const { title, hint } = entry;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys go to the combobox, which has the focus.
    // biome-ignore lint/a11y/useFocusableInteractive: the same.
    <div
      id={idOf(entry)}
      class="palette-entry"
      role="option"
      aria-selected={isActive}
      onClick={onChoose}
      onPointerMove={() => !isActive && onPoint()}
    >
      <bdi class="cut">{title}</bdi>
      {hint && <bdi class="cut quiet small">{hint}</bdi>}
    </div>
  );
}

function indexAfter(key: string, index: number, count: number): number | undefined {
  if (key === 'ArrowDown') return count === 0 ? 0 : (index + 1) % count;
  if (key === 'ArrowUp') return count === 0 ? 0 : (index - 1 + count) % count;
  return undefined;
}

function useActiveInSight(active: Entry | undefined): void {
  const before = useRef(active);
  useEffect(() => {
    if (before.current === active || !active) return;
    before.current = active;
    document.getElementById(idOf(active))?.scrollIntoView({ block: 'nearest' });
  });
}
