import { KeySequences } from './keySequences.js';

/** The views that have a shortcut. */
export const goTo: Readonly<Record<string, { title: string; href: string }>> = {
  'g o': { title: 'Overview', href: '#/' },
  'g r': { title: 'Rooms', href: '#/rooms' },
  'g s': { title: 'Servers', href: '#/servers' },
  'g a': { title: 'Activity', href: '#/activity' },
  'g c': { title: 'Statecharts', href: '#/statecharts' },
};

/** What a shortcut does beside going to a view. */
export const actions = { '/': 'Search', '?': 'Show the keys' } as const;

export const sequences = () => new KeySequences([...Object.keys(goTo), ...Object.keys(actions)]);

/** Of a keyboard event, what shortcuts look at. */
export interface PressedKey {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
  isComposing: boolean;
  repeat: boolean;
}

/** Whether a key opens the palette: ⌘K, or Ctrl+K. */
export const opensPalette = ({ key, ctrlKey, metaKey, altKey, shiftKey }: PressedKey): boolean =>
  key.toLowerCase() === 'k' && ctrlKey !== metaKey && !altKey && !shiftKey;

/** Whether a key may be part of a shortcut. Some keyboards need Shift for `/` and `?`. */
export const isPlain = ({ ctrlKey, metaKey, altKey, isComposing, repeat }: PressedKey): boolean =>
  !ctrlKey && !metaKey && !altKey && !isComposing && !repeat;
