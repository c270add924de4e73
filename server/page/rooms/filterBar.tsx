import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { session } from '../api.js';
import { lookOf, presentLooks, presentServers } from '../servers/serverLook.js';
import { formatNumber } from '../ui/numbers.js';
import { change, isByPrefix } from './listedRooms.js';
import { type ListSettings, onServer, type Show } from './listSettings.js';

/** Narrows the list. */
export function FilterBar({ settings }: { settings: ListSettings }) {
  const isLive = settings.show === 'connected';
  return (
    <div class="row room-filters">
      <ShowSelect show={settings.show} />
      {isLive && <ServerSelect server={settings.server} />}
      {isLive && (
        <button
          type="button"
          class="button"
          aria-pressed={isByPrefix.value}
          onClick={() => {
            isByPrefix.value = !isByPrefix.value;
          }}
        >
          By prefix
        </button>
      )}
      <TopSelect top={settings.top} />
    </div>
  );
}

const shows: Record<Show, string> = {
  connected: 'With connections',
  empty: 'No connections',
  diverged: 'Watched: servers differ',
  unreadable: 'Watched: unreadable',
};

function ShowSelect({ show }: { show: Show }) {
  // Without content, rooms cannot be watched.
  const isHidden = session.value?.showsContent === false;
  return (
    <Select
      id="room-show"
      label="Which rooms"
      value={show}
      onChange={(value) => change({ show: value as Show, server: '' }, 'push')}
    >
      {Object.entries(shows).map(([value, title]) => (
        <option
          key={value}
          value={value}
          disabled={isHidden && (value === 'diverged' || value === 'unreadable')}
        >
          {title}
        </option>
      ))}
    </Select>
  );
}

function ServerSelect({ server }: { server: string }) {
  const isThere = presentServers.value.some(({ id }) => id === server);
  // There may be 1,000 servers, and they change with every poll.
  const options = useMemo(
    () =>
      presentServers.value.map(({ id }) => (
        <option key={id} value={id}>
          On {lookOf(id).shortName}
        </option>
      )),
    [presentLooks.value],
  );
  return (
    <Select
      id="room-server"
      label="On which server"
      value={server}
      onChange={(id) => change(onServer(id), 'push')}
    >
      <option value="">On any server</option>
      {options}
      {server !== '' && !isThere && <option value={server}>On {lookOf(server).shortName}</option>}
    </Select>
  );
}

const tops = [10, 50, 100, 1000];

function TopSelect({ top }: { top: number }) {
  const known = tops.includes(top) || !Number.isFinite(top) ? tops : [...tops, top];
  return (
    <Select
      id="room-top"
      label="How many rooms"
      value={String(top)}
      onChange={(value) => change({ top: Number(value) })}
    >
      <option value="Infinity">All rooms</option>
      {known.map((count) => (
        <option key={count} value={String(count)}>
          Top {formatNumber(count)}
        </option>
      ))}
    </Select>
  );
}

function Select({
  id,
  label,
  value,
  onChange,
  children,
}: {
  id: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
  children: ComponentChildren;
}) {
  return (
    <>
      <label class="visually-hidden" for={id}>
        {label}
      </label>
      <select
        id={id}
        class="select"
        value={value}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
      >
        {children}
      </select>
    </>
  );
}
