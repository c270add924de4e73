import { apiError } from './errors.js';

/** What shows content; throws `content_hidden` if there is none, because `SHOW_CONTENT` is `false`. */
export function requireContent<Shown>(shown: Shown | undefined): Shown {
  if (shown === undefined) throw apiError('content_hidden');
  return shown;
}
