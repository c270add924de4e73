import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { navigate } from '../router.js';
import { remembered } from './remembered.js';
import { goTo, isPlain, opensPalette, sequences } from './shortcuts.js';

/** What lies over the page; undefined: nothing. */
export const overlay = signal<'palette' | 'keys' | undefined>(undefined);

/** Whether single keys do something. Speech input and switches may press them by accident (WCAG 2.1.4). */
export const singleKeys = remembered<'on' | 'off'>('single-keys', ['on', 'off']);

/** The search of a view is wanted, and takes the focus as soon as it is there. */
export const isSearchWanted = signal(false);

/** Listens to the shortcuts. */
export function useKeys(): void {
  useEffect(() => {
    const pressed = sequences();
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented) return;
      if (event.key === 'Control' || event.key === 'Meta') preloadPalette();
      if (opensPalette(event)) {
        event.preventDefault();
        overlay.value = overlay.value === 'palette' ? undefined : 'palette';
        return;
      }
      const isOff = singleKeys.value === 'off' || overlay.value !== undefined;
      if (isOff || !isPlain(event) || isTyping(event.target)) return;
      const shortcut = pressed.press(event.key, performance.now());
      if (shortcut === undefined) return;
      event.preventDefault();
      run(shortcut);
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, []);
}

/** With the first key of its shortcut, so that it takes what is typed at once. It tells itself if that fails. */
const preloadPalette = () => void import('./palette.js').catch(() => undefined);

function run(shortcut: string): void {
  const view = goTo[shortcut];
  if (view) navigate(view.href);
  else if (shortcut === '?') overlay.value = 'keys';
  else focusSearch();
}

/** Focuses the search of the view, or that of the rooms. */
export function focusSearch(): void {
  const field = document.querySelector<HTMLInputElement>('#main input[type="search"]');
  if (field) {
    field.focus();
    field.select();
    return;
  }
  isSearchWanted.value = true;
  navigate('#/rooms');
}

/** Keys belong to what takes text, and to lists that are searched by typing. */
const isTyping = (target: EventTarget | null) =>
  target instanceof Element &&
  target.closest('input, textarea, select, [contenteditable], [role="listbox"]') !== null;
