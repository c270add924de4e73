import { streamStatus } from '../model/fleet.js';
import { dependencies } from '../model/polling.js';
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

/** Variables that name servers, what they are, and the beginning of the dependency that shows one is set. */
const variables = [
  ['PUBSUB_SERVERS', 'a fixed list of servers: host:port,host:port', undefined],
  ['PUBSUB_DNS', 'host names that resolve to pub-sub servers', 'dns:'],
  ['ECS_CLUSTER, ECS_SERVICE', 'an ECS service that runs pub-sub servers', 'ecs'],
  ['DYNAMODB_SERVERS_TABLE', 'a table in which servers register themselves', 'servers'],
] as const;

function isSet(dependency: string | undefined): boolean {
  return (
    dependency !== undefined && dependencies.value.some(({ name }) => name.startsWith(dependency))
  );
}

/** Shown when the service knows no pub-sub server. */
export function NoServers() {
  const unset = variables.filter(([, , dependency]) => !isSet(dependency));
  return (
    <div class="card empty" data-empty="no-servers">
      <h2>No pub-sub servers known yet</h2>
      <p>
        A server appears here when it sends its start-up query,{' '}
        <code>GET&nbsp;/api/events/clients</code>, to this service. To add servers yourself, set one
        of these environment variables of the service:
      </p>
      <dl class="variables">
        {unset.map(([name, meaning]) => (
          <div key={name}>
            <dt>
              <code>{name}</code>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p>docs/deploy.md lists all variables.</p>
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
