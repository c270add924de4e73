import type { lookup as systemLookup } from 'node:dns';
import { isPublicAddress } from '../addresses.js';

export const privateAddress =
  'its address is private: set WEBHOOK_ALLOW_PRIVATE=true if webhooks may go there';

type LookupCallback = (
  error: Error | null,
  address?: string | { address: string; family: number }[],
  family?: number,
) => void;

/** A resolver that leaves out private addresses. The address that was checked is the one that is connected to. */
export function publicOnly(lookup: typeof systemLookup) {
  return (name: string, options: { all?: boolean }, done: LookupCallback) =>
    lookup(name, { ...options, all: true }, (error, found) => {
      if (error) return done(error);
      const allowed = found.filter(({ address }) => isPublicAddress(address));
      const [first] = allowed;
      if (!first) return done(new Error(privateAddress));
      return options.all ? done(null, allowed) : done(null, first.address, first.family);
    });
}
