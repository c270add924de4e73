/** A watched service with two doubles, for whoever tries to do it harm. */

import { expect } from '@jest/globals';
import type { Service } from '../../server/service.js';
import type { EventStream } from './eventStream.js';
import { eventually } from './eventually.js';
import type { ScriptedServer } from './scriptedServer.js';
import {
  getJson,
  noResync,
  type StagingOptions,
  startDouble,
  startStaged,
  untilShown,
  untilState,
  watch,
} from './stage.js';

/** Nothing happens by the clock. */
export const calm = { ...noResync, PROBE_INTERVAL_MS: '60000', REQUEST_TIMEOUT_MS: '5000' };

/** Room `r` has a connection on each double. */
export async function startWatched(
  env: Record<string, string> = calm,
  options: StagingOptions = {},
) {
  const [double, other] = [await startDouble(), await startDouble()];
  const service = await startStaged([double, other], env, options);
  const viewer = await watch(service);
  await untilState(service, 'watched');
  await double.open('r');
  await other.open('r');
  await untilShown(viewer, { r: 2 });
  return { double, other, service, viewer };
}

/** It is there, it counts on, and never showed anything of what was not so. */
export async function expectUnharmed(
  service: Service,
  viewer: EventStream,
  double: ScriptedServer,
) {
  await double.open('after');
  await eventually(() => expect(viewer.rooms().after).toBe(1), { withinMs: 8000 });
  const { after, ...rest } = viewer.rooms();
  expect({ after, rest }).toEqual({ after: 1, rest: { r: 2 } });
  for (const { data } of viewer.messages) expect(data).not.toContain('fake');
  expect(await getJson(`${service.url}/health`)).toEqual({ status: 'ok' });
}
