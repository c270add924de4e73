import { query, setQuery } from '../router.js';

/** A search whose text is in the address, as `q`. */
export function QuerySearch({ id, label }: { id: string; label: string }) {
  return (
    <div class="search">
      <label class="visually-hidden" for={id}>
        {label}
      </label>
      <input
        id={id}
        type="search"
        class="input"
        placeholder="Search"
        autocomplete="off"
        spellcheck={false}
        value={query.value.get('q') ?? ''}
        onInput={({ currentTarget }) => setQuery({ q: currentTarget.value })}
      />
    </div>
  );
}
