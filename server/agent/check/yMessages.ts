/** Messages of the y-websocket protocol (y-protocols), as far as a check sends them. */

const messages = { sync: 0, awareness: 1, auth: 2 } as const;
const updateOfSync = 2;
const tokenOfAuth = 0;

/** A message that applies a Yjs update. */
export function updateMessage(update: Uint8Array): Buffer {
  return Buffer.concat([varUint(messages.sync), varUint(updateOfSync), varBytes(update)]);
}

/** A message that announces somebody's awareness. */
export function awarenessMessage(client: number, state: unknown): Buffer {
  const one = [varUint(1), varUint(client), varUint(1), varString(JSON.stringify(state))];
  return Buffer.concat([varUint(messages.awareness), varBytes(Buffer.concat(one))]);
}

/** The first message of a Hocuspocus client. */
export function authMessage(token: string): Buffer {
  return Buffer.concat([varUint(messages.auth), varUint(tokenOfAuth), varString(token)]);
}

/** What a Hocuspocus server has answered to it. Undefined: this is another message. */
export function isAuthenticated(message: Uint8Array): boolean | undefined {
  const [denied, authenticated] = [1, 2];
  const [kind, answer] = message;
  if (kind !== messages.auth || (answer !== denied && answer !== authenticated)) return undefined;
  return answer === authenticated;
}

/** A Yjs update (v1) with which a client inserts a text at the start of an empty document. */
export function insertion(client: number, text: string): Buffer {
  const insertedString = 4;
  return Buffer.concat([
    // One client with one item, from clock 0.
    ...[1, 1, client, 0].map(varUint),
    // The item has no neighbours, its parent is the text of this name in the document.
    varUint(insertedString),
    varUint(1),
    varString('text'),
    varString(text),
    // Nothing is deleted.
    varUint(0),
  ]);
}

/** A text with its length before it, as lib0 encodes it. */
export function varString(text: string): Buffer {
  return varBytes(Buffer.from(text, 'utf8'));
}

function varBytes(bytes: Uint8Array): Buffer {
  return Buffer.concat([varUint(bytes.length), bytes]);
}

function varUint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push(128 | (rest % 128));
  bytes.push(rest);
  return Buffer.from(bytes);
}
