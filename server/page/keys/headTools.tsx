import { paletteKeys } from './paletteKeys.js';
import { switchTheme, type Theme, theme, themeWords } from './theme.js';
import { overlay } from './useKeys.js';

/** Opens the palette, and switches the theme. */
export function HeadTools() {
  return (
    <span class="head-tools">
      <button
        type="button"
        class="button bare"
        aria-haspopup="dialog"
        aria-keyshortcuts="Control+K Meta+K"
        onClick={() => {
          overlay.value = 'palette';
        }}
      >
        Find
        <span class="find-keys" aria-hidden="true">
          {paletteKeys().map((key) => (
            <kbd key={key}>{key}</kbd>
          ))}
        </span>
      </button>
      <button
        type="button"
        class="button bare theme-switch"
        aria-label={`Theme: ${themeWords(theme.value)}. Change it`}
        title={`Theme: ${themeWords(theme.value)}`}
        onClick={switchTheme}
      >
        <ThemeIcon value={theme.value} />
      </button>
    </span>
  );
}

/** A sun, a moon, or half of each. */
const paths: Record<Theme, string> = {
  light:
    'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8 13 13M3 13l1.2-1.2M11.8 4.2 13 3',
  dark: 'M13.4 9.8A5.8 5.8 0 0 1 6.2 2.6a5.8 5.8 0 1 0 7.2 7.2Z',
  system: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm0 0v12',
};

function ThemeIcon({ value }: { value: Theme }) {
  return (
    <svg
      width="16"
      height="16"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.4"
      stroke-linecap="round"
      aria-hidden="true"
    >
      <path d={paths[value]} />
      {value === 'system' && <path d="M8 2a6 6 0 0 1 0 12Z" fill="currentColor" stroke="none" />}
    </svg>
  );
}
