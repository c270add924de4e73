import type { ComponentChildren } from 'preact';
import { activation, isCurrent, known } from '../model/fleet.js';
import { service } from '../model/polling.js';
import type { Known } from '../model/whatIsKnown.js';
import { Count, Unknown } from '../ui/count.js';
import { KnownNumber } from '../ui/knownNumber.js';
import { formatNumber } from '../ui/numbers.js';

/** The totals, shown in every view. Outdated numbers are paler. */
export function Strip() {
  if (activation.value === undefined) return null;
  const { connections, rooms, servers } = known.value;
  return (
    <dl class={`strip ${isCurrent.value ? '' : 'outdated'}`}>
      <Item title="Connections">
        <KnownNumber number={connections} />
      </Item>
      <Item title="Rooms">
        <KnownNumber number={rooms} />
      </Item>
      <Item title="Servers">
        <Servers servers={servers} />
      </Item>
      <Item title="Viewers">{service.value ? <Count value={service.value.viewers} /> : '–'}</Item>
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

function Servers({ servers }: { servers: Known<{ live: number; present: number }> }) {
  if (servers.is === 'unknown') return <Unknown />;
  const { live, present } = servers.value;
  if (present === 0) return '0';
  return (
    <>
      {formatNumber(live)}
      <span class="quiet"> of {formatNumber(present)} live</span>
    </>
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
