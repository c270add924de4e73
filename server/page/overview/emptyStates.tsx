import { streamStatus } from '../model/fleet.js';
import { Reason, RetryButton } from './notices.js';

/** Before anything has come. */
export function NotYet({ reason }: { reason: string | undefined }) {
  const status = streamStatus.value;
  const problem = reason ?? (status.kind === 'reconnecting' ? status.reason : undefined);
  if (problem === undefined)
    return (
      <div class="empty" data-empty="loading">
        <span class="badge accent busy">Connecting</span>
        <p>Waiting for the first numbers.</p>
      </div>
    );
  return (
    <div class="card empty" data-empty="unreachable">
      <h1>Not connected</h1>
      <p>
        <Reason reason={problem} /> The page tries again by itself. If it stays so, look whether the
        service runs, and whether its address is right.
      </p>
      <RetryButton />
    </div>
  );
}

const variables = [
  ['PUBSUB_SERVERS', 'servers known from the start: host:port,host:port'],
  ['PUBSUB_DNS', 'names whose addresses are pub-sub servers'],
  ['ECS_CLUSTER, ECS_SERVICE', 'a service on ECS whose tasks are pub-sub servers'],
  ['DYNAMODB_SERVERS_TABLE', 'a table into which servers write themselves'],
] as const;

/** The service runs, and knows nobody to ask. */
export function NoServers() {
  return (
    <div class="card empty" data-empty="no-servers">
      <h2>No pub-sub server is known yet</h2>
      <p>
        A server that asks this service at its start-up (<code>GET /api/events/clients</code>)
        appears by itself. Others are named by an environment variable of this service:
      </p>
      <dl class="variables">
        {variables.map(([name, meaning]) => (
          <div key={name}>
            <dt>
              <code>{name}</code>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p>All of them are in docs/deploy.md, under “Configuration” and “Discovery”.</p>
    </div>
  );
}

/** An address within the page that means nothing. */
export function UnknownView() {
  return (
    <div class="card empty">
      <h1>There is nothing here</h1>
      <p>
        <a href="#/">Go to the overview</a>
      </p>
    </div>
  );
}
