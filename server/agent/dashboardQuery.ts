import type { Activation } from './agentTypes.js';
import { parseHostHeader } from './ownHosts.js';
import type { QueryKind } from './registration.js';
import { capabilities, type Identity } from './vitals.js';

/** The parameters of a start-up query or a renewal. */
export function dashboardQuery(
  kind: QueryKind,
  {
    port,
    advertise,
    identity,
    activation,
  }: {
    port: number;
    advertise: string | undefined;
    identity: Identity;
    activation: Activation;
  },
): string {
  const advertised = advertise === undefined ? undefined : parseHostHeader(advertise);
  const parameters: [string, string][] = [
    ['port', `${advertised?.port ?? port}`],
    ['name', identity.name],
    ['run', identity.run],
    ['capabilities', capabilities.join(',')],
  ];
  if (advertised) parameters.push(['host', advertised.host]);
  if (kind === 'renewal') {
    parameters.push(['renewal', 'true'], ['active', `${activation.active}`]);
    if (activation.active) parameters.push(['eventsUrl', activation.eventsUrl]);
  }
  return parameters
    .map(([name, value]) => `${name}=${encodeURIComponent(wellFormed(value))}`)
    .join('&')
    .replaceAll('%2C', ',');
}

/** Lone surrogates cannot be encoded. */
const wellFormed = (text: string) => Buffer.from(text).toString();
