import type { Logger } from 'pino';
import { AtMostEvery } from '../timing/atMostEvery.js';
import { isForUs } from './ownHosts.js';
import type { SignatureFault, Signatures } from './signatures.js';
import type { QueryHead, StartupQuery } from './startupQuery.js';

/** What the check of signed queries needs. */
export interface SignedQueriesNeeds {
  signatures: Signatures;
  /** The addresses of a host name; none if it is unknown. */
  addressesOf: (host: string) => Promise<readonly string[]>;
  log: Logger;
}

const dayMs = 24 * 60 * 60 * 1000;

/** Lets only signed start-up queries through, and logs the others: once for each address and reason. */
export class SignedQueries {
  readonly #needs: SignedQueriesNeeds;
  readonly #logged = new AtMostEvery(dayMs);

  constructor(needs: SignedQueriesNeeds) {
    this.#needs = needs;
  }

  async isSigned({ address }: StartupQuery, head: QueryHead): Promise<boolean> {
    const { signatures, addressesOf } = this.#needs;
    const fault = await signatures.faultOf(head.signature, { ...head, body: '' }, () =>
      isForUs({ ...head, address }, addressesOf),
    );
    if (fault) this.#report(address, fault, head);
    return fault === undefined;
  }

  #report(address: string, fault: SignatureFault, { hostname }: QueryHead): void {
    const { log } = this.#needs;
    if (this.#logged.allows(`${fault.kind} ${address}`))
      log.warn({ address, reason: fault.kind }, `a start-up query is ${wordsOf(fault, hostname)}`);
  }
}

function wordsOf(fault: SignatureFault, hostname = ''): string {
  switch (fault.kind) {
    case 'missing':
      return 'not signed, so its server is not asked. Give its agent the secret in PUBSUB_SECRET, or list the server in PUBSUB_SERVERS';
    case 'wrong_secret':
      return 'signed with another secret than PUBSUB_SECRET, or was changed on its way';
    case 'clock':
      return `signed by a clock that differs by ${Math.round(Math.abs(fault.differenceMs) / 1000)} s`;
    case 'other_host':
      return `signed for another host, '${hostname}'. If that is this service, add it to ALLOWED_HOSTS`;
    case 'replayed':
      return 'repeated: somebody sends a signed query again, or there are too many';
  }
}
