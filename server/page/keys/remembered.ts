import { type Signal, signal } from '@preact/signals';

/**
 * A choice among some words that this browser remembers, unless it is the first, the default. All that the page stores
 * in the browser (docs/privacy.md). In a private window, or if storage is off, it lasts while the page is open.
 */
export function remembered<Value extends string>(
  name: string,
  values: readonly [Value, ...Value[]],
): Signal<Value> {
  const found = values.find((value) => value === read(name)) ?? values[0];
  const choice = signal(found);
  choice.subscribe((value) => write(name, value === values[0] ? null : value));
  // Another tab chose.
  addEventListener('storage', ({ key, newValue }) => {
    if (key === name) choice.value = values.find((each) => each === newValue) ?? values[0];
  });
  return choice;
}

function read(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function write(name: string, value: string | null): void {
  if (read(name) === value) return;
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // It is not remembered.
  }
}
