import { visible } from '../model/roomNames.js';
import { toldName } from './serverNames.js';

/** What people call a server, and its address. */
export function ServerName({ id, name }: { id: string; name: string | undefined }) {
  const told = toldName(name);
  if (told === undefined) return <span class="mono server-name">{visible(id)}</span>;
  return (
    <span class="server-name">
      {/* Isolates right-to-left text. */}
      <bdi>{told}</bdi> <span class="mono quiet small">{visible(id)}</span>
    </span>
  );
}
