import type { ActivityEvent } from '../../wire/activityEvent.js';
import { visible } from '../model/roomNames.js';
import type { ChartMark } from './marks.js';

/**
 * Events as marks of charts. `skewMs`: what the clock of the service is ahead of that of this page.
 * Messages have names that servers told, so their invisible characters are spelled out.
 */
export const marksOf = (events: readonly ActivityEvent[], skewMs: number): ChartMark[] =>
  events.map(({ id, at, level, message, cause }) => ({
    id,
    second: (Date.parse(at) - skewMs) / 1000,
    level,
    words: visible(cause === null ? message : `${message} ${asSentence(cause)}`),
  }));

/** `connect ECONNREFUSED` becomes `Connect ECONNREFUSED.` */
export function asSentence(cause: string): string {
  const sentence = cause.charAt(0).toUpperCase() + cause.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
