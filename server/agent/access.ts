import type { IncomingMessage } from 'node:http';
import { isLoopback, normalizeHost, type parseNetworks, type Resolver } from './addresses.js';
import type { OwnHosts } from './ownHosts.js';
import type { Refusal } from './refusal.js';
import type { SignatureFault, Signatures } from './signatures.js';

/** Who may ask, and where posts may go. */
export interface AccessOptions {
  /** Undefined: the networks decide. */
  readonly signatures: Signatures | undefined;
  readonly networks: ReturnType<typeof parseNetworks>;
  readonly ownHosts: OwnHosts;
  readonly resolver: Resolver;
  /** The addresses of the dashboard, and further hosts of it. */
  readonly urls: readonly string[];
  readonly dashboards: readonly string[];
}

/** Decides which requests of the dashboard are served. */
export class Access {
  readonly #options: AccessOptions;

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** What can be refused before the body is read. */
  refusalOfHead(request: IncomingMessage): Refusal | undefined {
    const { headers, socket } = request;
    if (this.#options.signatures) {
      return headers['dashboard-signature'] === undefined ? signatureRefusal('missing') : undefined;
    }
    if (passedOn.some((name) => name in headers)) {
      return forbidden(
        'proxy',
        'It came through a proxy. Set a secret, or let the dashboard ask directly.',
      );
    }
    // A page in a browser of the same network can have a name that resolves to this server.
    if (ofBrowsers.some((name) => name in headers))
      return forbidden('browser', 'It came from a browser.');
    const source = normalizeHost(socket.remoteAddress ?? '');
    if (this.#options.networks.includes(source)) return undefined;
    return forbidden(
      'network',
      `Its address ${source} is not in \`networks\`. Add it, or set a secret.`,
    );
  }

  /** What can be refused by the signature, which covers the body. */
  async refusalOf(request: IncomingMessage, body: Uint8Array): Promise<Refusal | undefined> {
    const { signatures, ownHosts } = this.#options;
    if (!signatures) return undefined;
    const { method = '', url = '', headers, socket } = request;
    const host = headers.host ?? '';
    const header = headers['dashboard-signature'];
    const found = await signatures.faultOf(
      typeof header === 'string' ? header : undefined,
      { method, host, target: url, body },
      () => ownHosts.include(host, socket),
    );
    return found && signatureRefusal(found.fault, { host, skewMs: found.skewMs });
  }

  /** Without a secret, posts go only to the dashboard that this agent was told of, or to who asks. */
  async refusalOfEventsUrl(
    request: IncomingMessage,
    eventsUrl: string,
  ): Promise<Refusal | undefined> {
    const { signatures, dashboards, urls, resolver } = this.#options;
    if (signatures) return undefined;
    const host = normalizeHost(new URL(eventsUrl).hostname);
    const source = normalizeHost(request.socket.remoteAddress ?? '');
    if (host === source || (isLoopback(host) && isLoopback(source))) return undefined;
    if (dashboards.some((name) => normalizeHost(name) === host)) return undefined;
    const hosts = urls.filter((url) => URL.canParse(url)).map((url) => new URL(url).hostname);
    if (hosts.some((name) => normalizeHost(name) === host)) return undefined;
    const known = await Promise.all(hosts.map((name) => resolver.addressesOf(name)));
    if (known.flat().includes(host)) return undefined;
    return forbidden(
      'eventsUrl',
      `The host ${JSON.stringify(host)} of its eventsUrl is not the dashboard. Add it to \`dashboards\`, or set a secret.`,
    );
  }
}

const passedOn = ['forwarded', 'x-forwarded-for', 'via'];
const ofBrowsers = ['origin', 'sec-fetch-site', 'accept-language'];

const forbidden = (kind: string, message: string): Refusal => ({
  status: 403,
  code: 'forbidden',
  message,
  kind,
});

function signatureRefusal(
  fault: SignatureFault,
  { host = '', skewMs = 0 }: { host?: string; skewMs?: number } = {},
): Refusal {
  const message = {
    missing: 'The signature is missing. Give the dashboard the secret of this agent.',
    wrong_secret: 'The signature was made with another secret, or the request was changed.',
    clock: `The clock of the sender differs by ${Math.round(Math.abs(skewMs) / 1000)} s.`,
    other_host: `It was signed for another host ${JSON.stringify(host)}. Set \`advertise\` to the host and port under which the dashboard asks.`,
    replayed: 'It was received before, or there were too many signed requests.',
  }[fault];
  return { status: 401, code: 'signature_invalid', message, kind: fault };
}
