import { signal } from '@preact/signals';

/** Seconds that the plots show. */
export const spanSeconds = signal(600);

const spans = [
  [600, 'Last 10 minutes'],
  [3600, 'Last hour'],
  [86_400, 'Last day'],
] as const;

/** Chooses what the plots show. */
export function SpanSelect() {
  return (
    <div class="trends-head">
      <label class="visually-hidden" for="trends-span">
        How far back the plots go
      </label>
      <select
        id="trends-span"
        class="select"
        value={String(spanSeconds.value)}
        onChange={({ currentTarget }) => {
          spanSeconds.value = Number(currentTarget.value);
        }}
      >
        {spans.map(([seconds, words]) => (
          <option key={seconds} value={String(seconds)}>
            {words}
          </option>
        ))}
      </select>
    </div>
  );
}
