import type { ActivityEvent } from '../../wire/activityEvent.js';
import type { LoggedRequest } from '../../wire/serverRequests.js';
import { visible } from '../model/roomNames.js';
import type { ServerRow } from '../model/serverList.js';
import { Notice } from '../overview/notice.js';
import { CopyButton } from '../ui/copyButton.js';
import { agoText, Moment } from '../ui/moment.js';
import { adviceOf } from './serverAdvice.js';
import { troubleSince } from './troubleSince.js';

/** What is wrong with a server: what it means, since when, why, and what to do. */
export function ServerNotice({
  row,
  lastFailure,
  events,
}: {
  row: ServerRow;
  lastFailure: LoggedRequest | null;
  events: readonly ActivityEvent[];
}) {
  // A server that was never asked by this instance may still have a cause.
  const cause = row.lastFailure;
  const advice = adviceOf(row, cause);
  if (!advice) return <PastFailure failure={lastFailure} />;
  const { tone, meaning, explained, todo, command } = advice;
  const since = troubleSince(row, events);
  return (
    <Notice tone={tone} name="server">
      <div class="notice-text server-advice">
        <p>
          <strong>{meaning}</strong>
        </p>
        {since !== undefined && (
          <p class="moment-row">
            Since <Moment at={since} text={agoText(since)} isFocusable />
          </p>
        )}
        {cause !== null && (
          <p>
            Why: <code>{visible(cause)}</code> <CopyButton text={cause} label="cause" />{' '}
            {explained !== undefined && visible(explained)}
          </p>
        )}
        {cause === null && explained !== undefined && <p>{visible(explained)}</p>}
        {todo !== undefined && <p>What to do: {todo}</p>}
        {command && (
          <div>
            <p>{command.where}</p>
            <p class="server-command">
              <code>{visible(command.text)}</code>
              <CopyButton text={command.text} label="command" />
            </p>
            <p class="quiet">{command.result}</p>
          </div>
        )}
      </div>
    </Notice>
  );
}

/** The last failure of a server that is well again. */
function PastFailure({ failure }: { failure: LoggedRequest | null }) {
  if (failure?.cause == null) return null;
  const { at, cause } = failure;
  return (
    <p class="quiet small moment-row" data-last-failure>
      Last failure <Moment at={at} text={agoText(at)} />: <code>{visible(cause)}</code>{' '}
      <CopyButton text={cause} label="last failure" />
    </p>
  );
}
