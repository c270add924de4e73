import type { ComponentChildren } from 'preact';
import { lookOf, presentServers } from '../servers/serverLook.js';
import { MiddleCut } from '../ui/middleCut.js';
import { SortHead } from '../ui/sortHead.js';
import { change } from './listedRooms.js';
import {
  direction,
  type ListOrder,
  type ListSettings,
  onServer,
  sortedBy,
} from './listSettings.js';

/**
 * What is in the columns after the name. `columns`, `bar`: the connections, in all and by server; `here`: in all and
 * on the chosen server.
 */
export type TableKind = 'columns' | 'bar' | 'here' | 'empty' | 'findings';

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
      {kind === 'columns' &&
        presentServers.value.map(({ id }) =>
          id === settings.server ? (
            <HereHead key={id} settings={settings} />
          ) : (
            <ServerHead key={id} id={id} />
          ),
        )}
      {kind === 'here' && <HereHead settings={settings} />}
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
  order: ListOrder;
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

/** The column of the chosen server. */
function HereHead({ settings }: { settings: ListSettings }) {
  const { shortName, color } = lookOf(settings.server);
  return (
    <OrderHead order="here" settings={settings} isNumber>
      <span class="visually-hidden">Connections on </span>
      <span class="swatch" style={{ background: color }} />
      <MiddleCut text={shortName} />
    </OrderHead>
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
        onClick={() => change(onServer(id), 'push')}
      >
        <span class="swatch" style={{ background: color }} />
        <MiddleCut text={shortName} />
      </button>
    </th>
  );
}
