import type { ComponentChildren } from 'preact';
import type { RoomOrder } from '../model/roomIndex.js';
import { lookOf, presentServers } from '../servers/serverLook.js';
import { MiddleCut } from '../ui/middleCut.js';
import { SortHead } from '../ui/sortHead.js';
import { change } from './listedRooms.js';
import { direction, type ListSettings, sortedBy } from './listSettings.js';

/** What is in the columns after the name. `columns`, `bar`: the connections, in all and by server. */
export type TableKind = 'columns' | 'bar' | 'empty' | 'findings';

/** The heads of the columns. */
export function RoomHeads({
  kind,
  hasPast,
  settings,
}: {
  kind: TableKind;
  hasPast: boolean;
  settings: ListSettings;
}) {
  return (
    <>
      <OrderHead order="name" settings={settings}>
        Room
      </OrderHead>
      {kind !== 'empty' && (
        <OrderHead order="connections" settings={settings} isNumber>
          Connections
        </OrderHead>
      )}
      {hasPast && <Head class="room-past">Last hour</Head>}
      {kind === 'columns' && presentServers.value.map(({ id }) => <ServerHead key={id} id={id} />)}
      {kind === 'bar' && <Head class="room-bar">By server</Head>}
      {kind === 'findings' && <Head class="room-detail">Servers with the finding</Head>}
      {kind === 'empty' && <Head class="room-detail number">Last used</Head>}
      {kind === 'empty' && <Head class="number">Stored</Head>}
    </>
  );
}

function Head({ class: name, children }: { class: string; children: ComponentChildren }) {
  return (
    <th scope="col" class={name}>
      {children}
    </th>
  );
}

function OrderHead({
  order,
  settings,
  isNumber = false,
  children,
}: {
  order: RoomOrder;
  settings: ListSettings;
  isNumber?: boolean;
  children: ComponentChildren;
}) {
  return (
    <SortHead
      class={isNumber ? 'number' : ''}
      sorted={settings.order === order ? direction(settings) : undefined}
      onSort={() => change(sortedBy(settings, order))}
    >
      {children}
    </SortHead>
  );
}

function ServerHead({ id }: { id: string }) {
  const { shortName, fullName, color } = lookOf(id);
  return (
    <th scope="col" class="number" title={fullName} data-column={id}>
      <button
        type="button"
        class="sort room-server"
        title={`Only rooms on ${fullName}`}
        onClick={() => change({ server: id }, 'push')}
      >
        <span class="swatch" style={{ background: color }} />
        <MiddleCut text={shortName} />
      </button>
    </th>
  );
}
