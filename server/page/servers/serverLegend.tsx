import { formatNumber } from '../ui/numbers.js';
import { legendOf } from './legend.js';
import { lookOf, presentLooks, presentServers } from './serverLook.js';

/** What the colors of bars mean; nothing while there is one server. */
export function ServerLegend() {
  presentLooks.value;
  const servers = presentServers.value.map(({ id }) => lookOf(id));
  if (servers.length < 2) return null;
  return (
    <ul class="server-legend small quiet" aria-label="Colors of the servers">
      {legendOf(servers).map(({ color, names, more }) => (
        <li key={color} title={more > 0 ? `and ${formatNumber(more)} more` : ''}>
          <span class="swatch" style={{ background: color }} />
          <bdi class="cut">{names.join(', ')}</bdi>
          {more > 0 && <span>+{formatNumber(more)}</span>}
        </li>
      ))}
    </ul>
  );
}
