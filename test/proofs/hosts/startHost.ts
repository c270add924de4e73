import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type HostChild, startHostChild } from './hostChild.js';
import type { HostSettings } from './hostControl.js';
import type { HostKind } from './hostKind.js';
import { installHost } from './install.js';

/** Installs a kind of host if needed, and starts one. The caller must end it. */
export async function startHost(
  { fixture, library, program }: HostKind,
  settings: Pick<HostSettings, 'dashboardUrl'> & Partial<HostSettings>,
): Promise<HostChild> {
  const folder = await installHost(fixture);
  return startHostChild({
    port: 0,
    controlPort: 0,
    isStoring: false,
    // On a busy machine a client may be slow to answer.
    pingMs: 20_000,
    ...settings,
    library: pathToFileURL(join(folder, library)).href,
    program,
  });
}
