import { InstanceTable } from '../instances/instanceTable.js';
import { known, servers } from '../model/fleet.js';
import { service } from '../model/polling.js';
import { NoServers } from '../overview/emptyStates.js';
import { query, setQuery } from '../router.js';
import { When } from '../ui/knownNumber.js';
import { formatNumber } from '../ui/numbers.js';
import { AgentTable } from './agentTable.js';
import { CountsAge } from './countsAge.js';
import { presentServers } from './serverLook.js';
import { orderOf, orderText } from './serverOrder.js';
import { ServerTable } from './serverTable.js';
import { VirtualServerRows } from './virtualServerRows.js';

/** All pub-sub servers. */
export function ServersView() {
  return (
    <section class="stack" aria-labelledby="servers-title">
      <div class="row">
        <h1 id="servers-title">Servers</h1>
        <span class="quiet">
          <LiveServers />
        </span>
        <span class="spacer" />
        <CountsAge />
      </div>
      {known.value.status.is === 'noServers' && servers.value.length === 0 ? (
        <NoServers />
      ) : (
        <div class="card flush">
          <ServerTable
            rows={servers.value}
            order={orderOf(query.value.get('sort'))}
            onOrder={(order) => setQuery({ sort: orderText(order) })}
            body={VirtualServerRows}
          />
        </div>
      )}
      <AgentTable rows={presentServers.value} />
      <LeftOver />
      <InstanceTable />
    </section>
  );
}

function LiveServers() {
  const { servers } = known.value;
  if (servers.is === 'unknown') return null;
  const { live, present } = servers.value;
  return (
    <>
      {formatNumber(live)} of {formatNumber(present)} live{' '}
      {servers.is === 'past' && <When atMs={servers.atMs} />}
    </>
  );
}

/** Stale addresses that a crashed server left in the rooms table. */
function LeftOver() {
  const { gone = 0, goneServers = [] } =
    service.value?.discovery.find(({ name }) => name === 'rooms') ?? {};
  if (gone === 0) return null;
  const rest = gone - goneServers.length;
  return (
    <p class="quiet" data-finding="gone">
      The rooms table lists {gone} {gone === 1 ? 'address' : 'addresses'} where no server answers:{' '}
      {goneServers.join(', ')}
      {rest > 0 && ` and ${rest} more`}. Left behind by a crash, and not counted.
    </p>
  );
}
