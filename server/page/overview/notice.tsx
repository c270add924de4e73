import type { ComponentChildren } from 'preact';

/** A problem, and what to do about it. `name` is for tests. */
export function Notice({
  tone,
  name,
  children,
}: {
  tone: string;
  name: string;
  children: ComponentChildren;
}) {
  return (
    <div class={`notice tone-${tone}`} data-notice={name}>
      {children}
    </div>
  );
}
