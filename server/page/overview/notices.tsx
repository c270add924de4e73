import { useEffect, useState } from 'preact/hooks';
import { ApiFailure, request, session } from '../api.js';
import {
  activation,
  incompleteReason,
  isLeaderLost,
  known,
  missingServers,
  outdatedSinceMs,
  streamStatus,
} from '../model/fleet.js';
import { failingDependencies, now, service } from '../model/polling.js';
import { visible } from '../model/roomNames.js';
import { route } from '../router.js';
import { lookOf } from '../servers/serverLook.js';
import { stateWords } from '../servers/serverState.js';
import { retryStreams } from '../stream/connection.js';
import { countWord } from '../ui/numbers.js';
import { age, ago, clockTime } from '../ui/time.js';
import { DependenciesNotice, isKnownToFail } from './dependenciesNotice.js';
import { Notice } from './notice.js';
import { PauseNotice } from './pauseNotice.js';

/** Current problems, and what to do about them. While the stream is cut, nothing else is known. */
export function Notices() {
  if (streamStatus.value.kind !== 'live') return <StreamNotice />;
  return (
    <>
      <LeaderNotice />
      <PauseNotice />
      <DependenciesNotice />
      <ServersNotice />
      <DiscoveryNotice />
    </>
  );
}

function StreamNotice() {
  const status = streamStatus.value;
  if (status.kind === 'stale')
    return (
      <Notice tone="warn" name="stale">
        <p class="notice-text">
          <strong>No data for {age(now.value - status.sinceMs)}.</strong> The numbers are from then.
          If this continues, a proxy may be buffering the stream.
        </p>
      </Notice>
    );
  if (status.kind !== 'reconnecting') return null;
  return (
    <Notice tone="bad" name="reconnecting">
      <p class="notice-text">
        <Reason reason={status.reason} attempt={status.retryAtMs} />{' '}
        {activation.value === undefined
          ? 'There are no numbers yet.'
          : `The numbers are from ${clockTime(status.sinceMs)}.`}{' '}
        {retryWords(status.retryAtMs - now.value)}.
        {session.value?.user && ' If you were signed out at the proxy, reload the page.'}
      </p>
      <RetryButton />
    </Notice>
  );
}

/** In a cluster: the instance of this page has no current numbers. */
function LeaderNotice() {
  if (!isLeaderLost.value) return null;
  const sinceMs = outdatedSinceMs.value;
  return (
    <Notice tone="warn" name="leader">
      <p class="notice-text">
        <strong>
          {incompleteReason.value === 'no_leader'
            ? 'No instance of the service leads at the moment.'
            : 'The leading instance is being replaced, or cannot be reached.'}
        </strong>{' '}
        {sinceMs === null
          ? 'There are no numbers yet.'
          : `The numbers are from ${clockTime(sinceMs)} (${ago(now.value - sinceMs)}).`}
      </p>
    </Notice>
  );
}

function retryWords(ms: number): string {
  return ms < 1000 ? 'Retrying now' : `Retrying in ${age(ms)}`;
}

/** Reconnects every stream immediately. */
export function RetryButton() {
  return (
    <button type="button" class="button" onClick={retryStreams}>
      Try now
    </button>
  );
}

/** Why the stream is cut. `GET /ready` tells whether the service is shutting down. */
export function Reason({ reason, attempt = 0 }: { reason: string; attempt?: number }) {
  const [isDraining, setIsDraining] = useState(false);
  useEffect(() => {
    request('ready').then(
      () => setIsDraining(false),
      (error) => setIsDraining(error instanceof ApiFailure && error.code === 'draining'),
    );
  }, [attempt]);
  if (!isDraining) return <strong>{reason}.</strong>;
  return (
    <strong>The service is shutting down. This page reconnects when the service is back.</strong>
  );
}

const maxNamed = 4;

function ServersNotice() {
  const missing = missingServers.value;
  const { is } = known.value.status;
  if (missing.length === 0 || !['allDown', 'incomplete', 'doubtful'].includes(is)) return null;
  if (is === 'allDown')
    return (
      <Notice tone="bad" name="all-down">
        <p class="notice-text">
          <strong>No pub-sub server answers.</strong> Check that they are running and reachable.{' '}
          {lastNumbers()} First error: {visible(missing[0]?.lastFailure ?? 'unknown')}.
        </p>
      </Notice>
    );
  const named = missing
    .slice(0, maxNamed)
    .map((row) => `${lookOf(row.id).fullName} (${stateWords(row).label.toLowerCase()})`);
  const rest = missing.length - named.length;
  const deaf = missing.find(({ state }) => state === 'deaf');
  return (
    <Notice tone="warn" name="incomplete">
      <p class="notice-text">
        <strong>The totals are incomplete.</strong> Missing or out of date: {named.join(', ')}
        {rest > 0 && ` and ${rest} more`}.
        {deaf &&
          ` ${lookOf(deaf.id).fullName} answers, but its posts do not reach this service at ${deaf.callback}. Set PUBLIC_URL.`}
      </p>
      {route.value.view !== 'servers' && <a href="#/servers">Show servers</a>}
    </Notice>
  );
}

/** What the totals were when they were last complete. */
function lastNumbers(): string {
  const { connections, rooms } = known.value;
  if (connections.is !== 'unknown' || rooms.is !== 'unknown' || !connections.last) return '';
  const { value, atMs } = connections.last;
  const words = [countWord(value, 'connection'), countWord(rooms.last?.value ?? 0, 'room')];
  return `At ${clockTime(atMs)} there were ${words.join(' in ')}.`;
}

function DiscoveryNotice() {
  const failing =
    service.value?.discovery.filter(
      ({ name, error }) => error !== null && !isKnownToFail(name, failingDependencies.value),
    ) ?? [];
  if (failing.length === 0) return null;
  return (
    <Notice tone="warn" name="discovery">
      <p class="notice-text">
        <strong>Discovery is failing, so servers may be missing.</strong> Failing sources:{' '}
        {failing.map(({ name, error }) => `${name} (${error})`).join(', ')}.
      </p>
    </Notice>
  );
}
