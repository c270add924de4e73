import type { StateValue } from 'xstate';

/** The active states of a state value without those around them: `request.resting`, `standing.silent`. */
export function activeStates(value: StateValue, path = ''): string[] {
  if (typeof value === 'string') return [path + value];
  return Object.entries(value).flatMap(([key, inner]) => {
    // A region without states of its own is `{}`.
    const isLeaf = inner === undefined || Object.keys(inner).length === 0;
    return isLeaf ? [path + key] : activeStates(inner, `${path}${key}.`);
  });
}
