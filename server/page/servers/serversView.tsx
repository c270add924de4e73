import { InstanceTable } from '../instances/instanceTable.js';
import { servers } from '../model/fleet.js';
import { service } from '../model/polling.js';
import { query, setQuery } from '../router.js';
import { AgentTable } from './agentTable.js';
import { presentServers } from './serverLook.js';
import { orderOf, orderText } from './serverOrder.js';
import { ServerTable } from './serverTable.js';

/** All pub-sub servers. */
export function ServersView() {
  const live = presentServers.value.filter(({ state }) => state === 'live').length;
  return (
    <section class="stack" aria-labelledby="servers-title">
      <div class="row">
        <h1 id="servers-title">Servers</h1>
        <span class="quiet">
          {live} of {presentServers.value.length} live
        </span>
      </div>
      <div class="card flush">
        <ServerTable
          rows={servers.value}
          order={orderOf(query.value.get('sort'))}
          onOrder={(order) => setQuery({ sort: orderText(order) })}
        />
      </div>
      <AgentTable rows={presentServers.value} />
      <LeftOver />
      <InstanceTable />
    </section>
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
