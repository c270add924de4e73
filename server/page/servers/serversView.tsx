import { servers } from '../model/fleet.js';
import { presentServers } from './serverLook.js';
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
        <ServerTable rows={servers.value} />
      </div>
    </section>
  );
}
