import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ApiFailure, request } from '../api.js';
import { activation, missingServers, streamStatus } from '../model/fleet.js';
import { now, service } from '../model/polling.js';
import { visible } from '../model/roomNames.js';
import { route } from '../router.js';
import { presentServers } from '../servers/serverLook.js';
import { stateWords } from '../servers/serverState.js';
import { retryStreams } from '../stream/connection.js';
import { age, clockTime } from '../ui/time.js';

/** What is wrong at the moment, and what to do about it. */
export function Notices() {
  return (
    <>
      <StreamNotice />
      <ServersNotice />
      <DiscoveryNotice />
    </>
  );
}

function Notice({
  tone,
  name,
  children,
}: {
  tone: string;
  name: string;
  children: ComponentChildren;
}) {
  return (
    <div class={`notice tone-${tone}`} data-notice={name}>
      {children}
    </div>
  );
}

function StreamNotice() {
  const status = streamStatus.value;
  if (status.kind === 'stale')
    return (
      <Notice tone="warn" name="stale">
        <p class="notice-text">
          <strong>Nothing has come for {age(now.value - status.sinceMs)}.</strong> What you see may
          be out of date. If it stays so, a proxy in between may hold the stream back.
        </p>
      </Notice>
    );
  if (status.kind !== 'reconnecting') return null;
  return (
    <Notice tone="bad" name="reconnecting">
      <p class="notice-text">
        <Reason reason={status.reason} attempt={status.retryAtMs} /> Not live since{' '}
        {clockTime(status.sinceMs)}; what you see is of then. The next attempt is{' '}
        {nextAttempt(status.retryAtMs - now.value)}.
      </p>
      <RetryButton />
    </Notice>
  );
}

function nextAttempt(ms: number): string {
  return ms < 1000 ? 'now' : `in ${age(ms)}`;
}

/** Has every stream reconnect at once. */
export function RetryButton() {
  return (
    <button type="button" class="button" onClick={retryStreams}>
      Try now
    </button>
  );
}

/** Why the stream is cut; a service that shuts down says so where it is asked whether it is ready. */
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
    <strong>
      The service is shutting down. This page goes on by itself when it is there again.
    </strong>
  );
}

const maxNamed = 4;

function ServersNotice() {
  const missing = missingServers.value;
  if (missing.length === 0 || activation.value !== 'active') return null;
  const isAll = missing.length === presentServers.value.length;
  const isDown = isAll && missing.every(({ state }) => state === 'unreachable');
  if (isDown)
    return (
      <Notice tone="bad" name="all-down">
        <p class="notice-text">
          <strong>No pub-sub server answers.</strong> Look whether they run, and whether this
          service reaches them. Of the first:{' '}
          {visible(missing[0]?.lastFailure ?? 'nothing is known')}.
        </p>
      </Notice>
    );
  const named = missing
    .slice(0, maxNamed)
    .map((row) => `${row.id} (${stateWords(row).label.toLowerCase()})`);
  const rest = missing.length - named.length;
  const deaf = missing.find(({ state }) => state === 'deaf');
  return (
    <Notice tone="warn" name="incomplete">
      <p class="notice-text">
        <strong>The totals are incomplete.</strong> Missing or not up to date: {named.join(', ')}
        {rest > 0 && ` and ${rest} more`}.
        {deaf &&
          ` ${deaf.id} answers, but its posts do not reach this service at ${deaf.callback}: set PUBLIC_URL.`}
      </p>
      {route.value.view !== 'servers' && <a href="#/servers">Servers</a>}
    </Notice>
  );
}

function DiscoveryNotice() {
  const failing = service.value?.discovery.filter(({ error }) => error !== null) ?? [];
  if (failing.length === 0) return null;
  return (
    <Notice tone="warn" name="discovery">
      <p class="notice-text">
        <strong>Servers may be missing from the list.</strong> What names them fails:{' '}
        {failing.map(({ name, error }) => `${name} (${error})`).join(', ')}.
      </p>
    </Notice>
  );
}
