import type { LoggedRequest, RequestSummary, ServerRequests } from '../../wire/serverRequests.js';
import type { ApiFailure } from '../api.js';
import { isCurrent } from '../model/fleet.js';
import { visible } from '../model/roomNames.js';
import { noNumbersOfNow } from '../model/statusWords.js';
import { When } from '../ui/knownNumber.js';
import { agoText, Moment } from '../ui/moment.js';
import { formatNumber } from '../ui/numbers.js';
import type { Polled } from '../usePolled.js';
import { compareRequests, durationWords, requestWords } from './requestWords.js';

/** The requests of the service to a server: by kind, and the last ones with their durations. */
export function ServerRequestsCard({ polled }: { polled: Polled<ServerRequests> }) {
  const { value, failure } = polled;
  return (
    <section class="card flush" aria-labelledby="server-requests">
      <div class="card-head">
        <h2 id="server-requests">Requests to it</h2>
        {!isCurrent.value && polled.atMs !== undefined && <When atMs={polled.atMs} />}
      </div>
      {!value && <p class="server-nothing quiet">{nothingWords(failure)}</p>}
      {value && value.kinds.length === 0 && (
        <p class="server-nothing quiet">The service has not asked it yet.</p>
      )}
      {value && value.kinds.length > 0 && <Requests requests={value} />}
    </section>
  );
}

function nothingWords(failure: ApiFailure | undefined): string {
  if (!isCurrent.value) return noNumbersOfNow;
  return failure ? `Not known: ${visible(failure.message)}` : 'Loading …';
}

function Requests({ requests: { kinds, recent } }: { requests: ServerRequests }) {
  const sorted = [...kinds].sort((a, b) => compareRequests(a.request, b.request));
  return (
    <>
      <div class="scroll-x">
        <table class="table server-kinds" aria-label="Requests by kind">
          <thead>
            <tr>
              <th scope="col">Request</th>
              <th scope="col" class="number">
                Answered
              </th>
              <th scope="col" class="number">
                Failed
              </th>
              <th scope="col" class="number">
                Last took
              </th>
              <th scope="col" class="number">
                Longest
              </th>
            </tr>
          </thead>
          <tbody>
            {sorted.map((summary) => (
              <KindRow key={summary.request} summary={summary} />
            ))}
          </tbody>
        </table>
      </div>
      <Recent recent={recent} />
    </>
  );
}

function KindRow({ summary }: { summary: RequestSummary }) {
  const { request, answered, failed, lastMs, longestMs } = summary;
  const { label, meaning } = requestWords(request);
  return (
    <tr data-request={request}>
      <th scope="row" class="row-head" title={meaning}>
        {label}
      </th>
      <td class="number">{formatNumber(answered)}</td>
      <td class={`number ${failed > 0 ? 'tone-bad server-bad' : ''}`}>{formatNumber(failed)}</td>
      <td class="number">{durationWords(lastMs)}</td>
      <td class="number">{durationWords(longestMs)}</td>
    </tr>
  );
}

/** The last requests as bars, oldest first, and as a list for those who do not see the bars. */
function Recent({ recent }: { recent: readonly LoggedRequest[] }) {
  const longest = Math.max(1, ...recent.map(({ ms }) => ms));
  const [newest] = recent;
  return (
    <div class="server-recent">
      <div class="server-bars" aria-hidden="true">
        {[...recent].reverse().map((request) => (
          <span
            key={`${request.at} ${request.request} ${request.ms}`}
            class={request.cause === null ? '' : 'failed'}
            style={{ height: `${Math.max(6, (request.ms / longest) * 100)}%` }}
            title={wordsOf(request)}
          />
        ))}
      </div>
      <p class="small quiet moment-row">
        The last {recent.length}: the longest took {durationWords(longest)}
        {newest && (
          <>
            , the newest was <Moment at={newest.at} text={agoText(newest.at)} />
          </>
        )}
        .
      </p>
      <ol class="visually-hidden">
        {recent.map((request) => (
          <li key={`${request.at} ${request.request} ${request.ms}`}>{wordsOf(request)}</li>
        ))}
      </ol>
    </div>
  );
}

function wordsOf({ at, request, ms, cause }: LoggedRequest): string {
  const outcome = cause === null ? 'answered' : `failed: ${visible(cause)}`;
  return `${requestWords(request).label}, ${durationWords(ms)}, ${outcome} (${agoText(at)})`;
}
