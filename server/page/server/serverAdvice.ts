import type { ServerRow } from '../model/serverList.js';

/** What a problem of a server means, and what to do about it. */
export interface ServerAdvice {
  tone: 'bad' | 'warn';
  meaning: string;
  /** What the cause says; undefined: the page knows no more than the cause itself. */
  explained: string | undefined;
  todo: string | undefined;
  /** A command that shows more. */
  command: { text: string; where: string; result: string } | undefined;
}

/** Causes by their text, most specific first (docs/troubleshoot.md, "A server is unreachable or late"). */
const causes: readonly [RegExp, explained: string, todo: string][] = [
  [
    /ECONNREFUSED/,
    'Nothing listens at its address.',
    'See whether the server runs, and whether it listens on this port for other machines.',
  ],
  [
    /time(d )?out|ETIMEDOUT/i,
    'There was no complete answer in time.',
    'See whether the server is overloaded or hangs, and whether a firewall drops the packets.',
  ],
  [
    /ENOTFOUND|EAI_AGAIN/,
    'Its name was not found in DNS.',
    'See whether the name is right, and whether the name servers answer.',
  ],
  [
    /EHOSTUNREACH|ENETUNREACH/,
    'There is no way to its network.',
    'See whether the machine of the server is up, and the routes between the two.',
  ],
  [
    /ECONNRESET|socket hang up|EPIPE/,
    'It closed the connection before it had answered.',
    'See whether the server crashed, or expects https: then set PUBSUB_TLS.',
  ],
  [
    /certificate/,
    'The service does not trust its certificate.',
    'Set PUBSUB_CA_FILE, and name the server as its certificate does.',
  ],
  [
    /does not answer over https/,
    'PUBSUB_TLS is set, and this server speaks http.',
    'Unset PUBSUB_TLS: it is for all servers.',
  ],
  [
    /address not allowed|no address of/,
    'Its address is not in an allowed network.',
    'Add its network to PUBSUB_NETWORKS.',
  ],
  [
    /no callback address/,
    'There is no address under which this server could reach the service.',
    'Set HOST as the cause says, or PUBLIC_URL.',
  ],
  [
    /answered 401/,
    'The server does not accept the signature of the service.',
    'Set PUBSUB_SECRET to the secret of its agent.',
  ],
  [/answered more than/, 'Its list of rooms is too large.', 'Raise MAX_SNAPSHOT_BYTES.'],
  [
    /instead of JSON|no snapshot/,
    'Its answer to PUT /api/dashboard is no list of rooms.',
    'Correct the server, or see whether something else listens at this address.',
  ],
  [
    /answered \d/,
    'Something answers, but not as a pub-sub server does.',
    'See whether the address and the port are right.',
  ],
];

/** What to say of a server; undefined: nothing is wrong with it. `cause`: why its last request failed. */
export function adviceOf(
  { id, state, overLimit, callback }: ServerRow,
  cause: string | null,
): ServerAdvice | undefined {
  const [, explained, todo] = causes.find(([pattern]) => pattern.test(cause ?? '')) ?? [];
  const command = healthCommand(id, cause ?? '');
  if (state === 'unreachable')
    return {
      tone: 'bad',
      meaning:
        'It does not answer, so its connections are not in the totals. The service keeps asking.',
      explained,
      todo,
      command,
    };
  if (state === 'stale')
    return {
      tone: 'warn',
      meaning:
        'It did not answer the last request. The totals still have its last known counts. If it stays silent, they are removed.',
      explained,
      todo,
      command,
    };
  if (state === 'deaf') return deafAdvice(callback);
  if (overLimit)
    return {
      tone: 'warn',
      meaning: 'It has more rooms than the service counts for one server. The others are missing.',
      explained: undefined,
      todo: 'Raise MAX_ROOMS_PER_SERVER, or MAX_SNAPSHOT_BYTES if the names of its rooms are long.',
      command: undefined,
    };
  return undefined;
}

function deafAdvice(callback: string | null): ServerAdvice {
  return {
    tone: 'bad',
    meaning:
      'It answers, but its posts do not reach this service. Its counts are from its last answer.',
    explained:
      callback === null
        ? undefined
        : `It was told to post to ${callback}, which may not lead here.`,
    todo: 'Set PUBLIC_URL to an address of this service that the server can reach.',
    command:
      callback === null
        ? undefined
        : {
            text: `curl -i -X POST ${quoted(callback)}`,
            where: 'Run this on the machine of the server:',
            result:
              'With 404 and token_unknown, the address leads here: look for a firewall or a proxy that blocks posts. With another answer or none, the address is wrong.',
          },
  };
}

function healthCommand(id: string, cause: string): ServerAdvice['command'] {
  const scheme = /https|certificate/.test(cause) ? 'https' : 'http';
  return {
    text: `curl -i ${quoted(`${scheme}://${id}/health`)}`,
    where: 'Run this on the machine of the service:',
    result: 'A server that is well answers 200.',
  };
}

/** For a shell. Servers choose their ids, and people paste this. */
const quoted = (text: string) =>
  /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
