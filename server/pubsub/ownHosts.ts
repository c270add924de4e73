import { isAddress, isLoopback } from '../addresses.js';
import { isOwnAddress } from './addressBook.js';

/** A host that a signed request was sent to, and its connection. */
export interface SentTo {
  /** The name in the header `Host`; undefined: it is none. */
  hostname: string | undefined;
  /** Whether the configuration says that this is a name of this service. */
  isConfigured: boolean;
  /** The address that the request came from. */
  address: string;
}

/**
 * Whether a signed request was meant for this service, and not for another one that passed it on. Names of
 * loopback are those of the sender's machine.
 */
export async function isForUs(
  { hostname, isConfigured, address }: SentTo,
  addressesOf: (host: string) => Promise<readonly string[]>,
): Promise<boolean> {
  if (hostname === undefined) return false;
  if (isLoopback(hostname)) return isOwnAddress(address);
  if (isConfigured) return true;
  const addresses = isAddress(hostname) ? [hostname] : await addressesOf(hostname);
  return addresses.some((each) => (isLoopback(each) ? isOwnAddress(address) : isOwnAddress(each)));
}
