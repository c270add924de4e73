import type { ComponentChildren } from 'preact';

interface SortHeadProps {
  class: string;
  /** Undefined: the table is sorted by another column. */
  sorted: 'ascending' | 'descending' | undefined;
  onSort: () => void;
  children: ComponentChildren;
}

/** The head of a column by which a table can be sorted. */
export function SortHead({ class: name, sorted, onSort, children }: SortHeadProps) {
  return (
    <th scope="col" class={name} {...(sorted && { 'aria-sort': sorted })}>
      <button type="button" class="sort" onClick={onSort}>
        {children}
        <span class="sort-mark" aria-hidden="true">
          {sorted === 'ascending' ? '↑' : sorted === 'descending' ? '↓' : ''}
        </span>
      </button>
    </th>
  );
}
