import { shownName, visible } from '../model/roomNames.js';

/** A room's decoded name, and its raw name if the two differ. */
export function RoomName({ name }: { name: string }) {
  const shown = shownName(name);
  return (
    <>
      {/* Isolates right-to-left text. */}
      <bdi class={name === '' ? 'quiet' : ''}>{cut(shown)}</bdi>
      {shown !== name && name !== '' && (
        <bdi class="raw-name mono quiet small">{cut(visible(name))}</bdi>
      )}
    </>
  );
}

/** Names have up to 16,384 characters. No screen shows the end of such a name. */
const maxLength = 300;
const cut = (text: string) => (text.length > maxLength ? `${text.slice(0, maxLength)}…` : text);
