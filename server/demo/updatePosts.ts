import type { Outbound } from './outbound.js';

/** Updates of documents on their way to the dashboard service. */
export type UpdatePosts = {
  /** Takes an update, unless it is too large or too many wait: what is left out stays unknown. */
  put(room: string, update: Uint8Array): void;
  /** Drops what waits. */
  clear(): void;
};

type Waiting = { readonly room: string; readonly update: string };

/** Larger ones would not fit into the body that the service takes, 1 MiB by default. */
const maxUpdateBytes = 512 * 1024;
// In base64, with names and all.
const maxBodyLength = 900 * 1024;
const maxWaitingLength = 4 * 1024 * 1024;
const entryLength = 64;

const lengthOf = ({ room, update }: Waiting) => room.length * 3 + update.length + entryLength;

/** Posts updates to `url()`, one request at a time with all that waits; undefined: nowhere. */
export const createUpdatePosts = ({
  outbound,
  url,
}: {
  outbound: Outbound;
  url: () => string | undefined;
}): UpdatePosts => {
  let waiting: Waiting[] = [];
  let waitingLength = 0;
  let isPosting = false;

  const clear = () => {
    waiting = [];
    waitingLength = 0;
  };
  const take = (): Waiting[] => {
    const taken: Waiting[] = [];
    let length = 0;
    for (const entry of waiting) {
      length += lengthOf(entry);
      if (taken.length > 0 && length > maxBodyLength) break;
      taken.push(entry);
    }
    waiting = waiting.slice(taken.length);
    for (const entry of taken) waitingLength -= lengthOf(entry);
    return taken;
  };
  const post = async () => {
    if (isPosting) return;
    isPosting = true;
    for (let target = url(); target !== undefined && waiting.length > 0; target = url()) {
      const entries = take();
      const body = JSON.stringify(entries.length === 1 ? entries[0] : entries);
      await outbound.send({ method: 'POST', url: target, body }).catch(() => undefined);
    }
    isPosting = false;
  };
  const put = (room: string, { buffer, byteOffset, length }: Uint8Array) => {
    if (url() === undefined || length > maxUpdateBytes) return;
    const update = Buffer.from(buffer, byteOffset, length).toString('base64');
    const entry = { room, update };
    if (waitingLength + lengthOf(entry) > maxWaitingLength) return;
    waiting.push(entry);
    waitingLength += lengthOf(entry);
    void post();
  };
  return { put, clear };
};
