/** A service with two doubles and a viewer, for tests that attack it. */

import { expect } from '@jest/globals';
import type { Service } from '../../server/service.js';
import type { EventStream } from './eventStream.js';
import { eventually } from './eventually.js';
import type { ScriptedServer } from './scriptedServer.js';
import {
  calm,
  getJson,
  type StagingOptions,
  startDouble,
  startStaged,
  untilShown,
  untilState,
  watch,
} from './stage.js';

/** Starts them. Room `r` has one connection on each double. */
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

/** Expects the service to run, to count the next connection, and to have shown no room called `fake`. */
export async function expectUnaffected(
  service: Service,
  viewer: EventStream,
  double: ScriptedServer,
) {
  await double.open('after');
  await eventually(() => expect(viewer.rooms().after).toBe(1));
  const { after, ...rest } = viewer.rooms();
  expect({ after, rest }).toEqual({ after: 1, rest: { r: 2 } });
  for (const { data } of viewer.messages) expect(data).not.toContain('fake');
  expect(await getJson(`${service.url}/health`)).toEqual({ status: 'ok' });
}
