import './moment.css';
import { pageMs } from '../api.js';
import { now } from '../model/polling.js';
import { ago, wholeTime } from './time.js';

/** How long ago something happened, by the service's clock. `at`: ISO 8601. Read it once per render. */
export const agoText = (at: string): string => ago(now.value - pageMs(at));

/**
 * A time: how long ago, and the time itself while its row (class `moment-row`) has the mouse or the focus.
 * `text` is from `agoText`. Where nothing else in the row can have the focus, the time itself can.
 */
export function Moment({
  at,
  text,
  isFocusable = false,
}: {
  at: string;
  text: string;
  isFocusable?: boolean;
}) {
  return (
    <time class="moment" dateTime={at} {...(isFocusable && { tabIndex: 0 })}>
      <span class="moment-ago">{text}</span>
      <span class="moment-at">{wholeTime(pageMs(at))}</span>
    </time>
  );
}
