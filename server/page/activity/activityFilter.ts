import type { ActivityEvent } from '../../wire/activityEvent.js';
import { decodedName } from '../model/roomNames.js';
import { kindWords } from './kindWords.js';

/** Which events the view shows. It is kept in the query of the address. */
export interface ActivityFilter {
  /** A kind such as `server.deaf`, or all that begin with `server.`: `server`. Empty: all. */
  kind: string;
  /** Only warnings. */
  isProblems: boolean;
  /** Only events about this. */
  about: ActivityEvent['subject'] | undefined;
  /** In lower case. Empty: all. */
  text: string;
}

/** Reads `?kind=server.deaf&level=warning&about=server:10.0.0.1:5001&q=refused`. */
export function filterOf(query: URLSearchParams): ActivityFilter {
  return {
    kind: query.get('kind') ?? '',
    isProblems: query.get('level') === 'warning',
    about: subjectOf(query.get('about') ?? ''),
    text: (query.get('q') ?? '').trim().toLowerCase(),
  };
}

/** The value of `about` in the query. */
export const aboutText = ({ type, name }: ActivityEvent['subject']) => `${type}:${name}`;

/** The link to the events about something. */
export const aboutHref = (subject: ActivityEvent['subject']) =>
  `#/activity?about=${encodeURIComponent(aboutText(subject))}`;

const subjectTypes = ['server', 'room', 'instance', 'dependency'] as const;

function subjectOf(about: string): ActivityEvent['subject'] | undefined {
  const type = subjectTypes.find((it) => about.startsWith(`${it}:`));
  return type && { type, name: about.slice(type.length + 1) };
}

/** Whether any filter is set. */
export const isFiltering = ({ kind, isProblems, about, text }: ActivityFilter): boolean =>
  kind !== '' || isProblems || about !== undefined || text !== '';

/** Whether a filter lets an event through. */
export function isShown(event: ActivityEvent, filter: ActivityFilter): boolean {
  const { kind, isProblems, about, text } = filter;
  if (kind !== '' && event.kind !== kind && !event.kind.startsWith(`${kind}.`)) return false;
  if (isProblems && event.level !== 'warning') return false;
  if (about && aboutText(about) !== aboutText(event.subject)) return false;
  return text === '' || searchedText(event).includes(text);
}

function searchedText({ kind, subject, message, cause }: ActivityEvent): string {
  const { name } = subject;
  const parts = [message, cause ?? '', name, decodedName(name), kind, kindWords(kind).label];
  return parts.join('\n').toLowerCase();
}
