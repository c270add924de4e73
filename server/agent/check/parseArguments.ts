import { parseArgs } from 'node:util';

/** The arguments of a check. */
export interface Arguments {
  readonly url: URL;
  readonly ws: URL;
  readonly protocol: 'y-websocket' | 'hocuspocus';
  readonly token: string;
  readonly open: string | undefined;
  readonly restart: string | undefined;
  readonly secret: string | undefined;
  readonly listen: { host: string; port: number } | undefined;
  readonly withinMs: number | undefined;
  readonly sendsBadInput: boolean;
  readonly isJson: boolean;
}

/** The arguments are wrong, or ask for help. The message is for the user. */
export class UsageError extends Error {}

/** How to call it. */
export const usage = `Usage: npx @pubsub-dashboard/agent check http://host:port [options]

Checks whether a server reports its connections as docs/protocol.md says.
It opens and closes connections. Check a server that nobody else uses.

  --ws ws://host:port   where clients connect; default: the same host and port
  --protocol name       y-websocket (default) or hocuspocus
  --token text          what a Hocuspocus client sends to authenticate
  --open 'command'      run this for each connection instead, and end it to close it;
                        {room} is the name of the room
  --restart 'command'   restarts the server, to check its start-up query; needs --listen
  --listen host:port    where the server shall post, and ask when it starts;
                        default: any free port of the address that the server sees
  --secret text         signs requests, if the server has a secret
  --within seconds      how long to wait for what the server must do; default 10
  --bad-input           also send bodies that end servers that do not validate
  --json                print the results as JSON

Exits with 1 if the server breaks a MUST, with 2 if it could not be checked.
`;

const options = {
  ws: { type: 'string' },
  protocol: { type: 'string', default: 'y-websocket' },
  token: { type: 'string', default: '' },
  open: { type: 'string' },
  restart: { type: 'string' },
  listen: { type: 'string' },
  secret: { type: 'string' },
  within: { type: 'string' },
  'bad-input': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** Parses what follows the name of the program. Throws a `UsageError`. */
export function parseArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parse(args);
  const [command, address, ...others] = positionals;
  if (values.help || command === undefined) throw new UsageError(usage);
  if (command !== 'check') throw new UsageError(`There is no command '${command}', only 'check'.`);
  if (address === undefined)
    throw new UsageError('Give the address of the server: check http://host:port');
  if (others.length > 0) throw new UsageError(`Unexpected argument '${others[0]}'.`);
  const { protocol, open, restart } = values;
  if (protocol !== 'y-websocket' && protocol !== 'hocuspocus')
    throw new UsageError(`--protocol is '${protocol}'. It must be y-websocket or hocuspocus.`);
  const listen = values.listen === undefined ? undefined : parseListen(values.listen);
  if (restart !== undefined && !listen)
    throw new UsageError(
      '--restart needs --listen: the address that the server asks when it starts.',
    );
  const url = parseUrl(address, ['http:', 'https:']);
  const ws = parseUrl(values.ws ?? `ws${url.protocol.slice(4)}//${url.host}`, ['ws:', 'wss:']);
  const withinMs = values.within === undefined ? undefined : parseSeconds(values.within);
  const { token, secret, 'bad-input': sendsBadInput, json: isJson } = values;
  return {
    url,
    ws,
    protocol,
    token,
    open,
    restart,
    secret,
    listen,
    withinMs,
    sendsBadInput,
    isJson,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (cause) {
    throw new UsageError((cause as Error).message);
  }
}

function parseUrl(text: string, protocols: readonly string[]): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && protocols.includes(url.protocol)) return url;
  throw new UsageError(`'${text}' is not an address like ${protocols[0]}//127.0.0.1:8001`);
}

function parseListen(text: string): { host: string; port: number } {
  const [, ipv6, name, port] = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(text) ?? [];
  const host = ipv6 ?? name;
  if (host !== undefined) return { host, port: Number(port) };
  throw new UsageError(`--listen is '${text}'. It must be host:port.`);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 600) return seconds * 1_000;
  throw new UsageError(`--within is '${text}'. It must be a number of seconds up to 600.`);
}
