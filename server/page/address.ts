/** The addresses of the views, in the fragment of the URL, so that the page works under any path. */
export type Route =
  | { view: 'overview' | 'rooms' | 'servers' | 'activity' | 'statecharts' | 'unknown' }
  /** `name` is the raw name. */
  | { view: 'room'; name: string }
  | { view: 'server'; id: string };

const views = ['rooms', 'servers', 'activity', 'statecharts'] as const;

/** Splits a fragment into the path of a view and its query. The name of a room is all of the rest. */
export function splitFragment(hash: string): { path: string; query: string } {
  const text = hash.replace(/^#?\/?/, '');
  const mark = text.startsWith('room/') ? -1 : text.indexOf('?');
  if (mark < 0) return { path: text, query: '' };
  return { path: text.slice(0, mark), query: text.slice(mark + 1) };
}

/** The view at a path. */
export function routeOf(path: string): Route {
  if (path === '') return { view: 'overview' };
  const view = views.find((name) => name === path);
  if (view) return { view };
  if (path.startsWith('room/')) return { view: 'room', name: decoded(path.slice('room/'.length)) };
  if (path.startsWith('server/'))
    return { view: 'server', id: decoded(path.slice('server/'.length)) };
  return { view: 'unknown' };
}

/** The fragment of a path with a query. Values that are undefined or empty are left out. */
export function fragmentOf(
  path: string,
  query: Readonly<Record<string, string | undefined>>,
): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) parameters.set(name, value);
  const text = parameters.toString();
  return text === '' ? `#/${path}` : `#/${path}?${text}`;
}

/** Returns the text unchanged if it cannot be decoded: people also type addresses. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
