import { useMemo } from 'preact/hooks';
import type { Room } from '../model/roomIndex.js';
import type { Distribution } from '../model/roomServers.js';
import { roomHref } from '../router.js';
import { presentLooks } from '../servers/serverLook.js';
import { CopyButton } from '../ui/copyButton.js';
import { Count } from '../ui/count.js';
import { DistributionBar, DistributionCells } from './distribution.js';
import { RoomName } from './roomName.js';

/** The properties of `RoomRow`. */
export interface RoomRowProps {
  room: Room;
  connections: number;
  servers: Distribution | undefined;
  isMatrix: boolean;
  index: number;
  /** Pixels from the top of the list. */
  start: number;
  columns: string;
  tabIndex: number;
  onFocus: (name: string) => void;
}

/** One room, linked to its view. Memoized, because the list re-renders while it scrolls. */
export function RoomRow(props: RoomRowProps) {
  const { room, connections, servers, isMatrix, index, start, columns, tabIndex, onFocus } = props;
  const { name } = room;
  return useMemo(
    () => (
      <tr
        class="room-row"
        aria-rowindex={index + 2}
        data-index={index}
        data-room={name}
        style={{ gridTemplateColumns: columns, transform: `translateY(${start}px)` }}
        onFocusIn={() => onFocus(name)}
      >
        <th scope="row" class="room-name">
          <a class="cut" href={roomHref(name)} tabIndex={tabIndex} title={name.slice(0, 2048)}>
            <RoomName name={name} />
          </a>
          <span class="room-copy">
            <CopyButton text={name} label="raw name" tabIndex={tabIndex} />
          </span>
        </th>
        <td class="number room-connections">
          <Count value={connections} />
        </td>
        {isMatrix ? (
          <DistributionCells servers={servers} />
        ) : (
          <td class="room-bar">
            <DistributionBar servers={servers} />
          </td>
        )}
      </tr>
    ),
    [name, connections, servers, isMatrix, index, start, columns, tabIndex, presentLooks.value],
  );
}
