import { useMemo } from 'preact/hooks';
import type { roomPast } from '../charts/roomPasts.js';
import { Sparkline } from '../charts/sparkline.js';
import type { Room } from '../model/roomIndex.js';
import type { Distribution } from '../model/roomServers.js';
import { roomHref } from '../router.js';
import { presentLooks } from '../servers/serverLook.js';
import { CopyButton } from '../ui/copyButton.js';
import { Count } from '../ui/count.js';
import { formatNumber } from '../ui/numbers.js';
import { DistributionBar, DistributionCells } from './distribution.js';
import type { TableKind } from './roomHeads.js';
import { RoomName } from './roomName.js';

/** The properties of `RoomRow`. */
export interface RoomRowProps {
  room: Room;
  connections: number;
  servers: Distribution | undefined;
  /** Connections on the chosen server; undefined: there is no such column. */
  here: number | undefined;
  /** Texts of further cells. */
  details: readonly string[];
  kind: TableKind;
  /** Its last hour; null: not known yet. Undefined: there is no space for it. */
  past: ReturnType<typeof roomPast> | null;
  index: number;
  /** Pixels from the top of the list. */
  start: number;
  columns: string;
  tabIndex: number;
  onFocus: (name: string) => void;
}

/** One room, linked to its view. Memoized, because the list re-renders while it scrolls. */
export function RoomRow(props: RoomRowProps) {
  const { room, connections, servers, here, details, kind, past, index, start, columns, tabIndex } =
    props;
  const { name } = room;
  const isBehind = servers !== undefined && sumOf(servers) !== connections;
  return useMemo(
    () => (
      <tr
        class={`room-row ${isBehind ? 'behind' : ''}`}
        aria-rowindex={index + 2}
        data-index={index}
        data-room={name}
        style={{ gridTemplateColumns: columns, transform: `translateY(${start}px)` }}
        onFocusIn={() => props.onFocus(name)}
      >
        <th scope="row" class="room-name">
          <a
            class="room-link row-link"
            href={roomHref(name)}
            tabIndex={tabIndex}
            title={name.slice(0, 2048)}
          >
            <RoomName name={name} />
          </a>
          <span class="room-copy">
            <CopyButton text={name} label="raw name" tabIndex={tabIndex} />
          </span>
        </th>
        {kind !== 'empty' && (
          <td class="number room-connections">
            <Count value={connections} />
          </td>
        )}
        {past !== undefined && (
          <td class="room-past">
            <Sparkline past={past ?? undefined} />
          </td>
        )}
        {kind === 'columns' && <DistributionCells servers={servers} />}
        {kind === 'bar' && (
          <td class="room-bar">
            <DistributionBar servers={servers} />
          </td>
        )}
        {here !== undefined && <td class="number room-here">{formatNumber(here)}</td>}
        {details.map((text) => (
          <td
            class={`room-detail cut ${kind === 'empty' ? 'number' : ''}`}
            title={text === '–' ? 'Not known' : text}
          >
            {text}
          </td>
        ))}
      </tr>
    ),
    [
      name,
      connections,
      servers,
      isBehind,
      here,
      details.join('\n'),
      kind,
      past,
      index,
      start,
      columns,
      tabIndex,
      presentLooks.value,
    ],
  );
}

/** The counts by server are asked for once a second, so they may be of a moment before. */
const sumOf = (servers: Distribution) =>
  (servers ?? []).reduce((sum, { connections }) => sum + connections, 0);
