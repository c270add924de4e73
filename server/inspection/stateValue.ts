import type { StateValue } from 'xstate';

/** Paths of the innermost active states in a state value: `request.resting`, `standing.silent`. */
export function activeStates(value: StateValue, path = ''): string[] {
  if (typeof value === 'string') return [path + value];
  return Object.entries(value).flatMap(([key, inner]) => {
    // A region without states is `{}`.
    const isLeaf = inner === undefined || Object.keys(inner).length === 0;
    return isLeaf ? [path + key] : activeStates(inner, `${path}${key}.`);
  });
}
