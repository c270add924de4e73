import { visible } from '../model/roomNames.js';
import { serverHref } from '../router.js';
import { toldName } from './serverNames.js';

interface ServerNameProps {
  id: string;
  name: string | undefined;
  /** Of the link. Default: Tab reaches it. */
  tabIndex?: number | undefined;
}

/** What people call a server, with a link to its page, and its address. */
export function ServerName({ id, name, tabIndex }: ServerNameProps) {
  const told = toldName(name);
  if (told === undefined)
    return (
      <a class="mono server-name" href={serverHref(id)} tabIndex={tabIndex}>
        {visible(id)}
      </a>
    );
  return (
    <span class="server-name">
      {/* Isolates right-to-left text. */}
      <a href={serverHref(id)} tabIndex={tabIndex}>
        <bdi>{told}</bdi>
      </a>{' '}
      <span class="mono quiet small">{visible(id)}</span>
    </span>
  );
}
