import { visible } from '../model/roomNames.js';
import { serverHref } from '../router.js';
import { toldName } from './serverNames.js';

/** What people call a server, with a link to its page, and its address. */
export function ServerName({ id, name }: { id: string; name: string | undefined }) {
  const told = toldName(name);
  if (told === undefined)
    return (
      <a class="mono server-name" href={serverHref(id)}>
        {visible(id)}
      </a>
    );
  return (
    <span class="server-name">
      {/* Isolates right-to-left text. */}
      <a href={serverHref(id)}>
        <bdi>{told}</bdi>
      </a>{' '}
      <span class="mono quiet small">{visible(id)}</span>
    </span>
  );
}
