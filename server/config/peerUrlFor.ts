import type { Config } from './config.js';
import { publicUrlFor } from './publicUrlFor.js';

/** Where other instances reach this one, without a trailing slash. `listeningPort` is the actual port. */
export function peerUrlFor(
  config: Pick<Config, 'host' | 'instanceUrl' | 'instancePeerUrl'>,
  listeningPort: number,
): string {
  const { host, instanceUrl, instancePeerUrl } = config;
  return instancePeerUrl ?? instanceUrl ?? publicUrlFor({ host }, listeningPort);
}
