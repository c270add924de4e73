import { expect, test } from '@jest/globals';
import type { EventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { connectTo, nth, sharedFleet, startReal, untilTrue } from '../../support/fleet.js';
import { startStaged, untilShown, watch, watchMaps } from '../../support/stage.js';

/** `LONG_FAULTS=1`: 30 s, and the service with its defaults. Else all times are a tenth of these. */
const isLong = process.env.LONG_FAULTS === '1';
const scale = isLong ? 1 : 10;
const suspendedMs = 30_000 / scale;
const times = Object.fromEntries(
  Object.entries({
    LINGER_MS: 5000,
    REQUEST_TIMEOUT_MS: 2000,
    PROBE_INTERVAL_MS: 5000,
    RESYNC_INTERVAL_MS: 30_000,
    FRAME_INTERVAL_MS: 50,
  }).map(([name, ms]) => [name, String(Math.ceil(ms / scale))]),
);
const slackMs = 5000;
/** The promised times hold with the defaults alone: a tenth of them is too little for a busy machine. */
const promised = (ms: number) => (isLong ? { withinMs: ms + slackMs } : {});
const staleWithin = promised(5000 + 2000);
const unreachableWithin = promised(17_000);
/** From the next probe to the snapshot after the confirming one. */
const healedWithin = promised(5000 + 3 * 2000 + 30_000);

const fleet = sharedFleet(2);

const untilServer = (viewer: EventStream, id: string, state: string, within: object) =>
  eventually(() => expect(viewer.seen().servers[id]?.state).toBe(state), within);

test('two of three servers are suspended and continue: the third stays exact, and they are exact again', async () => {
  const well = await startReal({ answerWithinMs: 10_000 });
  const [one, other] = [nth(fleet, 0), nth(fleet, 1)];
  const service = await startStaged([one, other, well], times);
  const [viewer, maps] = [await watch(service), await watchMaps(service)];
  const leavers = [await connectTo(one, 'left'), await connectTo(other, 'left')];
  for (const server of [one, other]) await connectTo(server, 'stays');
  await connectTo(well, 'well');
  await untilShown(maps, { left: 2, stays: 2, well: 1 });

  const begun = performance.now();
  for (const server of [one, other]) server.suspend();
  try {
    // Suspended servers notice these departures when they continue.
    for (const { socket } of leavers) socket.terminate();
    let connections = 1;
    for (const { id } of [one, other]) {
      await untilServer(viewer, id, 'stale', staleWithin);
      await connectTo(well, 'well');
      connections += 1;
      await eventually(() => expect(viewer.rooms().well).toBe(connections));
    }
    for (const { id } of [one, other])
      await untilServer(viewer, id, 'unreachable', unreachableWithin);
    for (const each of [viewer, maps]) await untilShown(each, { well: connections });
    expect(viewer.seen().complete).toBe(false);
    await eventually(() => expect(performance.now() - begun).toBeGreaterThan(suspendedMs), {
      withinMs: suspendedMs,
    });
  } finally {
    for (const server of [one, other]) server.resume();
  }
  await untilTrue(viewer, [one, other, well], healedWithin);
  await untilShown(maps, { stays: 2, well: 3 });
  await untilServer(viewer, one.id, 'live', healedWithin);
  await eventually(() => expect(viewer.seen().complete).toBe(true));
  await connectTo(one, 'after');
  await untilShown(maps, { stays: 2, well: 3, after: 1 });
});
