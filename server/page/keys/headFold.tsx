import { effect, signal } from '@preact/signals';
import { route } from '../router.js';

/** On phones: whether the views, the totals and the tools are shown below the first line. */
export const isUnfolded = signal(false);

// A new view is what one wanted to see.
effect(() => {
  if (route.value) isUnfolded.value = false;
});

/** On phones: the current view, and the way to the others. Elsewhere it is not shown. */
export function HeadFold({ title }: { title: string }) {
  return (
    <button
      type="button"
      class="button bare head-fold"
      aria-expanded={isUnfolded.value}
      onClick={() => {
        isUnfolded.value = !isUnfolded.value;
      }}
    >
      {title}
      <span class="visually-hidden">: views and totals</span>
      <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
        <path d="M1 3l4 4 4-4" fill="none" stroke="currentColor" stroke-width="1.6" />
      </svg>
    </button>
  );
}
