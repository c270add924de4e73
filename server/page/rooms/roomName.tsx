import { shownName, visible } from '../model/roomNames.js';
import { MiddleCut } from '../ui/middleCut.js';

/** A room's decoded name, its middle cut if need be, and its raw name if the two differ. */
export function RoomName({ name }: { name: string }) {
  const shown = shownName(name);
  return (
    <>
      {/* Isolates right-to-left text. */}
      <bdi class={`room-shown ${name === '' ? 'quiet' : ''}`}>
        <MiddleCut text={short(shown)} endLength={endLength} />
      </bdi>
      {shown !== name && name !== '' && (
        <bdi class="raw-name cut mono quiet small">{short(visible(name))}</bdi>
      )}
    </>
  );
}

const endLength = 10;
/** Names have up to 16,384 characters. No screen shows all of such a name. */
const maxLength = 300;
const keptEnd = 40;

function short(text: string): string {
  if (text.length <= maxLength) return text;
  return `${text.slice(0, maxLength - keptEnd)}…${text.slice(-keptEnd)}`;
}
