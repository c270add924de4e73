import { shownName, visible } from '../model/roomNames.js';

/** A room's name as people wrote it, with its raw name beside it where the two differ. */
export function RoomName({ name }: { name: string }) {
  const shown = shownName(name);
  return (
    <>
      {/* Letters of the other direction stay within it. */}
      <bdi class={name === '' ? 'quiet' : ''}>{cut(shown)}</bdi>
      {shown !== name && name !== '' && (
        <bdi class="raw-name mono quiet small">{cut(visible(name))}</bdi>
      )}
    </>
  );
}

/** Names have up to 16,384 characters; the end of such a one is never seen. */
const maxLength = 300;
const cut = (text: string) => (text.length > maxLength ? `${text.slice(0, maxLength)}…` : text);
