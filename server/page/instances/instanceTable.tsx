import { useEffect, useRef } from 'preact/hooks';
import type { InstanceRole, InstanceView } from '../../wire/instanceView.js';
import { clockSkewMs } from '../api.js';
import { streamStatus } from '../model/fleet.js';
import { now } from '../model/polling.js';
import { query } from '../router.js';
import { Unknown } from '../ui/count.js';
import { When } from '../ui/knownNumber.js';
import { formatNumber } from '../ui/numbers.js';
import { age, ago } from '../ui/time.js';
import { usePolled } from '../usePolled.js';

const pollMs = 5000;

const roles: Record<InstanceRole, { tone: string; meaning: string }> = {
  alone: { tone: '', meaning: 'There are no other instances' },
  leading: { tone: 'accent', meaning: 'It talks to the pub-sub servers' },
  following: { tone: 'good', meaning: 'It shows what the leader counts' },
  isolated: { tone: 'bad', meaning: 'It does not reach Redis' },
  gone: { tone: 'warn', meaning: 'It no longer tells the others that it runs' },
};

/** The instances of this service; nothing while there is only one. */
export function InstanceTable() {
  // Also without a leader, but not of another time than the rest of the page.
  const path = streamStatus.value.kind === 'live' ? 'api/instances' : undefined;
  const [{ value: instances = [], atMs }] = usePolled<InstanceView[]>(path, pollMs);
  const title = useRef<HTMLHeadingElement>(null);
  const isThere = instances.length >= 2;
  const isWanted = query.value.get('to') === 'instances';
  useEffect(() => {
    if (isThere && isWanted) title.current?.focus();
  }, [isThere, isWanted]);
  if (!isThere) return null;
  return (
    <section class="card flush" aria-labelledby="instances-title">
      <div class="card-head">
        <h2 id="instances-title" ref={title} tabIndex={-1}>
          Instances of this service
        </h2>
        {path === undefined && atMs !== undefined && <When atMs={atMs} />}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it. */}
      <section class="scroll-x" aria-label="Table of instances" tabIndex={0}>
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Instance</th>
              <th scope="col">Role</th>
              <th scope="col" class="number">
                Viewers
              </th>
              <th scope="col" class="number">
                Version
              </th>
              <th scope="col" class="number">
                Up
              </th>
              <th scope="col" class="number">
                Heard
              </th>
            </tr>
          </thead>
          <tbody>
            {instances.map((instance) => (
              <InstanceRow key={instance.id} instance={instance} />
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

function InstanceRow({ instance }: { instance: InstanceView }) {
  const { id, url, role, term, viewers, version, since, lagMs } = instance;
  // A newer instance of a rolling replacement may have more roles.
  const { tone, meaning } = roles[role] ?? { tone: '', meaning: '' };
  const upMs = now.value + clockSkewMs.value - Date.parse(since);
  return (
    <tr data-instance={id} data-role={role}>
      <th scope="row" class="row-head">
        {url}
      </th>
      <td>
        <span class={`badge ${tone}`} title={term === null ? meaning : `${meaning}. Term ${term}`}>
          {role}
        </span>
      </td>
      <td class="number">{formatNumber(viewers)}</td>
      <td class="number">{version}</td>
      <td class="number">{age(upMs)}</td>
      <td class="number">{lagMs === null ? <Unknown /> : ago(lagMs)}</td>
    </tr>
  );
}
