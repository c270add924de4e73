import { known, streamStatus } from '../model/fleet.js';
import { dependencies } from '../model/polling.js';
import { CopyButton } from '../ui/copyButton.js';
import { When } from '../ui/knownNumber.js';
import { Reason, RetryButton } from './notices.js';

/** Shown until the first data arrives. */
export function NotReady({ reason }: { reason: string | undefined }) {
  const status = streamStatus.value;
  const problem = reason ?? (status.kind === 'reconnecting' ? status.reason : undefined);
  if (problem === undefined)
    return (
      <div class="empty" data-empty="loading">
        <span class="badge accent busy">Connecting</span>
        <p>Waiting for the first data.</p>
      </div>
    );
  return (
    <div class="card empty" data-empty="unreachable">
      <h1>Not connected</h1>
      <p>
        <Reason reason={problem} /> The page keeps retrying. If this continues, check that the
        service is running and that the address is right.
      </p>
      <RetryButton />
    </div>
  );
}

/** Ways to name servers, and the beginning of the dependency that shows that one is in use. */
const ways = [
  ['a fixed list', 'PUBSUB_SERVERS=10.0.0.5:8001,10.0.0.6:8001', undefined],
  ['a name in DNS', 'PUBSUB_DNS=pubsub.internal', 'dns:'],
  ['an ECS service', 'ECS_CLUSTER=main ECS_SERVICE=pubsub', 'ecs'],
  ['a DynamoDB table', 'DYNAMODB_SERVERS_TABLE=servers', 'servers'],
] as const;

function isInUse(dependency: string | undefined): boolean {
  return (
    dependency !== undefined && dependencies.value.some(({ name }) => name.startsWith(dependency))
  );
}

/** Shown when the service knows no pub-sub server. */
export function NoServers() {
  const url = new URL('.', document.baseURI).href.replace(/\/$/, '');
  const unused = ways.filter(([, , dependency]) => !isInUse(dependency));
  return (
    <div class="card empty" data-empty="no-servers">
      <h2>No pub-sub server is known yet</h2>
      <p>A server with the agent registers by itself. Start it with the address of this service:</p>
      <Command text={`DASHBOARD_URL=${url} node server.mjs`} />
      <p>
        To register a server without the agent, run this on its machine, with its port in place of
        8001:
      </p>
      <Command text={`curl '${url}/api/events/clients?port=8001'`} />
      <p>Or start this service with the addresses of your servers:</p>
      <dl class="variables">
        {unused.map(([title, setting]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>
              <code>{setting} npx pubsub-dashboard</code>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Command({ text }: { text: string }) {
  return (
    <p class="command">
      <code>{text}</code>
      <CopyButton text={text} label="command" />
    </p>
  );
}

/** In place of a list of rooms when no number is known. */
export function RoomsUnknown() {
  const { is } = known.value.status;
  return (
    <div class="empty" data-empty="unknown">
      <h3>Not known</h3>
      {is === 'noServers' ? (
        <p>
          No pub-sub server is known yet. The <a href="#/">overview</a> says how to add servers.
        </p>
      ) : (
        <p>
          {is === 'allDown'
            ? 'No server answers, so nothing is known of its rooms.'
            : 'Not every server answers, and those that do have no rooms.'}
        </p>
      )}
    </div>
  );
}

/** In place of a list of rooms when every number is 0. */
export function NobodyConnected() {
  const { rooms } = known.value;
  const isPast = rooms.is === 'past';
  return (
    <div class="empty" data-empty="nobody">
      <h3>
        Nobody {isPast ? 'was' : 'is'} connected {isPast && <When atMs={rooms.atMs} />}
      </h3>
      <p>A room appears here as soon as someone opens its document.</p>
    </div>
  );
}

/** Shown for an unknown address within the page. */
export function UnknownView() {
  return (
    <div class="card empty">
      <h1>Page not found</h1>
      <p>
        <a href="#/">Go to the overview</a>
      </p>
    </div>
  );
}
