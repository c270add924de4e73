import { useEffect, useRef, useState } from 'preact/hooks';
import { isSearchWanted } from '../keys/useKeys.js';
import { countWord } from '../ui/numbers.js';
import { change } from './listedRooms.js';

/** Searches rooms by their shown and raw names. */
export function SearchField({ value, matches }: { value: string; matches: number }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (isSearchWanted.value) field.current?.focus();
    isSearchWanted.value = false;
  }, []);
  return (
    <div class="search">
      <label class="visually-hidden" for="room-search">
        Search rooms by name
      </label>
      <input
        ref={field}
        id="room-search"
        type="search"
        class="input"
        placeholder="Search"
        autocomplete="off"
        spellcheck={false}
        value={value}
        onInput={({ currentTarget }) => change({ query: currentTarget.value })}
        onKeyDown={goToList}
      />
      <SearchResult query={value} matches={matches} />
    </div>
  );
}

/** The arrow goes on to the rooms that were found. */
function goToList(event: KeyboardEvent): void {
  if (event.key !== 'ArrowDown') return;
  event.preventDefault();
  document.querySelector<HTMLElement>('.room-rows a[tabindex="0"]')?.focus();
}

const announceMs = 700;

/** Announces the number of matches to screen readers. */
function SearchResult({ query, matches }: { query: string; matches: number }) {
  const [text, setText] = useState('');
  const words = query === '' ? '' : foundWords(matches);
  useEffect(() => {
    const timer = setTimeout(() => setText(words), announceMs);
    return () => clearTimeout(timer);
  }, [words]);
  return (
    <span class="visually-hidden" role="status">
      {text}
    </span>
  );
}

const foundWords = (count: number) => `${countWord(count, 'room')} found`;
