import type { ComponentChildren } from 'preact';
import { Modal } from './modal.js';
import { paletteKeys } from './paletteKeys.js';
import { actions, goTo } from './shortcuts.js';
import { overlay, singleKeys } from './useKeys.js';

/** The keys of the page. */
export function KeysDialog() {
  return (
    <Modal label="Keys" class="keys">
      <div class="row">
        <h2>Keys</h2>
        <span class="spacer" />
        <button
          type="button"
          class="button"
          onClick={() => {
            overlay.value = undefined;
          }}
        >
          Close
        </button>
      </div>
      <div class="keys-groups">
        <Group title="Everywhere">
          <Keys keys={paletteKeys()} title="Find rooms, servers, views and actions" />
          {Object.entries(actions).map(([keys, title]) => (
            <Keys key={keys} keys={keys.split(' ')} title={title} />
          ))}
          <Keys keys={['Esc']} title="Close what lies over the page" />
        </Group>
        <Group title="Go to">
          {Object.entries(goTo).map(([keys, { title }]) => (
            <Keys key={keys} keys={keys.split(' ')} title={title} />
          ))}
        </Group>
        <Group title="In a list">
          <Keys keys={['↑', '↓']} title="Move between rows" />
          <Keys keys={['Page Up', 'Page Down']} title="Move by a page" />
          <Keys keys={['Home', 'End']} title="First and last row" />
          <Keys keys={['Enter']} title="Open" />
        </Group>
        <Group title="In a chart">
          <Keys keys={['←', '→']} title="Move the cursor" />
          <Keys keys={['+']} title="Zoom in" />
          <Keys keys={['−', 'Esc']} title="Zoom out" />
        </Group>
      </div>
      <label class="row small">
        <input
          type="checkbox"
          checked={singleKeys.value === 'on'}
          onChange={({ currentTarget }) => {
            singleKeys.value = currentTarget.checked ? 'on' : 'off';
          }}
        />
        Keys without Ctrl or ⌘ do something
      </label>
    </Modal>
  );
}

function Group({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl>{children}</dl>
    </section>
  );
}

function Keys({ keys, title }: { keys: readonly string[]; title: string }) {
  return (
    <div>
      <dt>
        {keys.map((key) => (
          <kbd key={key}>{key}</kbd>
        ))}
      </dt>
      <dd>{title}</dd>
    </div>
  );
}
