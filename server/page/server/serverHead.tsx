import { numbersOf } from '../model/fleet.js';
import { visible } from '../model/roomNames.js';
import type { ServerRow } from '../model/serverList.js';
import { statechartHref } from '../router.js';
import { lookOf } from '../servers/serverLook.js';
import { toldName } from '../servers/serverNames.js';
import { stateWords } from '../servers/serverState.js';
import { StateBadge } from '../servers/serverTable.js';
import { CopyButton } from '../ui/copyButton.js';
import { When } from '../ui/knownNumber.js';
import { agoText, Moment } from '../ui/moment.js';

/** The name of a server, its address, its state, and when it was heard last. */
export function ServerHead({ row }: { row: ServerRow }) {
  const { id, name, state, lastHeardAt } = row;
  const { connections } = numbersOf(row);
  const told = toldName(name);
  return (
    <header class="server-head">
      <a class="small" href="#/servers">
        ‹ Servers
      </a>
      <div class="row">
        <span class="swatch" style={{ background: lookOf(id).color }} />
        <h1>{told === undefined ? visible(id) : <bdi>{told}</bdi>}</h1>
        <StateBadge row={row} />
        {connections.is === 'past' && <When atMs={connections.atMs} />}
      </div>
      <div class="row small quiet moment-row">
        <span class="server-address">
          <span class="visually-hidden">Address</span>
          <code>{visible(id)}</code>
          <CopyButton text={id} label="address" />
        </span>
        <span>
          {lastHeardAt === null ? (
            'Never heard'
          ) : (
            <>
              Heard <Moment at={lastHeardAt} text={agoText(lastHeardAt)} />
            </>
          )}
        </span>
        {connections.is !== 'past' && <span>{stateWords(row).meaning}</span>}
        {state !== 'gone' && <a href={statechartHref(id)}>Statechart</a>}
      </div>
    </header>
  );
}
