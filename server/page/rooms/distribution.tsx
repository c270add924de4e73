import type { Distribution } from '../model/roomServers.js';
import { lookOf, presentServers } from '../servers/serverLook.js';
import { formatNumber } from '../ui/numbers.js';

/** A room's connections by server, as a stacked bar. */
export function DistributionBar({ servers }: { servers: Distribution | undefined }) {
  if (!servers) return <span class="share-bar" />;
  const words = wordsOf(servers);
  return (
    <span class="distribution" title={words}>
      <span class="share-bar" aria-hidden="true">
        {servers.map(({ id, connections }) => (
          <span key={id} style={{ flexGrow: connections, background: lookOf(id).color }} />
        ))}
      </span>
      <span class="visually-hidden">{words}</span>
    </span>
  );
}

const maxNamed = 8;

function wordsOf(servers: NonNullable<Distribution>): string {
  const named = servers
    .slice(0, maxNamed)
    .map(({ id, connections }) => `${formatNumber(connections)} on ${lookOf(id).shortName}`);
  const rest = servers.length - named.length;
  return rest > 0 ? `${named.join(', ')} and ${rest} more` : named.join(', ');
}

/** A room's connections by server, one table cell each. */
export function DistributionCells({ servers }: { servers: Distribution | undefined }) {
  const most = Math.max(1, ...(servers ?? []).map(({ connections }) => connections));
  return (
    <>
      {presentServers.value.map(({ id, connections }) => {
        const count = servers?.find((server) => server.id === id)?.connections ?? 0;
        const none = connections === null ? '–' : '0';
        return (
          <td key={id} class="number cell-count">
            {count > 0 ? (
              <span class="cell-heat" style={{ background: heat(id, count / most) }}>
                {formatNumber(count)}
              </span>
            ) : (
              <span class="quiet" aria-hidden={!servers}>
                {servers ? none : ''}
              </span>
            )}
          </td>
        );
      })}
    </>
  );
}

const heat = (id: string, share: number) =>
  `color-mix(in srgb, ${lookOf(id).color} ${Math.round(8 + 22 * share)}%, transparent)`;
