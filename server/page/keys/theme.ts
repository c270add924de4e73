import { computed, effect, signal } from '@preact/signals';
import { remembered } from './remembered.js';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

/** The chosen theme. */
export const theme = remembered<Theme>('theme', themes);

const system = matchMedia('(prefers-color-scheme: dark)');
const isSystemDark = signal(system.matches);
system.addEventListener('change', ({ matches }) => {
  isSystemDark.value = matches;
});

/** Whether the page is dark: for what is drawn by script. */
export const isDark = computed(() =>
  theme.value === 'system' ? isSystemDark.value : theme.value === 'dark',
);

/** Keeps the style sheet's theme as chosen. */
export function applyTheme(): void {
  effect(() => {
    const { dataset } = document.documentElement;
    if (theme.value === 'system') delete dataset.theme;
    else dataset.theme = theme.value;
  });
}

const names: Record<Theme, string> = { system: 'as the system', light: 'light', dark: 'dark' };
const next: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };

/** The theme in words. */
export const themeWords = (value: Theme) => names[value];

/** Changes to the next theme. */
export function switchTheme(): void {
  theme.value = next[theme.value];
}
