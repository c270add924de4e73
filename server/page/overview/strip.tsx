import type { ComponentChildren } from 'preact';
import {
  activation,
  connections,
  isComplete,
  isCurrent,
  isLeaderLost,
  missingServers,
  roomCount,
} from '../model/fleet.js';
import { service } from '../model/polling.js';
import { lookOf, presentServers } from '../servers/serverLook.js';
import { Count } from '../ui/count.js';
import { formatNumber } from '../ui/numbers.js';

/** The totals, shown in every view. Outdated numbers are paler. */
export function Strip() {
  if (activation.value === undefined) return null;
  const live = presentServers.value.filter(({ state }) => state === 'live').length;
  return (
    <dl class={`strip ${isCurrent.value ? '' : 'outdated'}`}>
      <Item title="Connections">
        <Count value={connections.value} />
      </Item>
      <Item title="Rooms">
        <Count value={roomCount.value} />
      </Item>
      <Item title="Servers">
        {formatNumber(live)}
        <span class="quiet"> of {formatNumber(presentServers.value.length)} live</span>
      </Item>
      <Item title="Viewers">{service.value ? <Count value={service.value.viewers} /> : '–'}</Item>
      <Item title="Service">
        <ActivationBadge />
      </Item>
      <Item title="Numbers">
        <Completeness />
      </Item>
      <Item title="Drift">
        <Drift />
      </Item>
    </dl>
  );
}

function Item({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="strip-item" data-item={title.toLowerCase()}>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const activations: Record<string, { tone: string; meaning: string }> = {
  inactive: { tone: '', meaning: 'No viewers. The servers post nothing.' },
  activating: {
    tone: 'accent busy',
    meaning: 'The service is telling the servers to post their changes.',
  },
  active: { tone: 'good', meaning: 'The servers post every change.' },
  lingering: { tone: '', meaning: 'No viewers. The servers stop posting in a few seconds.' },
  deactivating: { tone: 'busy', meaning: 'The service is telling the servers to stop posting.' },
};

function ActivationBadge() {
  const state = activation.value ?? '';
  const isLingering = state === 'active' && service.value?.detail === 'lingering';
  const shown = isLingering ? 'lingering' : state;
  const { tone, meaning } = activations[shown] ?? { tone: '', meaning: '' };
  return (
    <span class={`badge ${tone}`} title={meaning}>
      {shown}
    </span>
  );
}

function Completeness() {
  if (isComplete.value)
    return (
      <span class="badge good" title="The totals include every known server.">
        complete
      </span>
    );
  if (presentServers.value.length === 0 && !isLeaderLost.value)
    return (
      <span class="badge warn" title="The service knows no servers, so there is nothing to count.">
        no server known
      </span>
    );
  return (
    <span
      class="badge warn"
      title={incompleteWords(missingServers.value.map(({ id }) => lookOf(id).fullName))}
    >
      incomplete
    </span>
  );
}

/** How exact the numbers were. */
function Drift() {
  const { drift } = service.value ?? {};
  if (drift === undefined) return '–';
  const title =
    drift === 0
      ? 'Every snapshot of a server said what was counted: no post was lost.'
      : `Snapshots of servers corrected the numbers by ${formatNumber(drift)} connections. Posts were lost, or a server restarted without saying so.`;
  return (
    <span data-drift={drift} title={title}>
      {formatNumber(drift)}
    </span>
  );
}

function incompleteWords(missing: readonly string[]): string {
  if (isLeaderLost.value)
    return 'This instance does not hear from the leading instance. These are the last numbers.';
  if (missing.length === 0) return 'There may be servers that the service does not know.';
  return `Missing or out of date: ${missing.join(', ')}`;
}
