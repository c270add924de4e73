/**
 * An activation of 1,000 pub-sub servers with 100 rooms each, ten of which hang: when the first frame
 * comes, when the other 990 are in the numbers, when another viewer is shown them while the ten hang, and
 * the longest turn of the service's event loop meanwhile; beside it the same requests by bare got, in the
 * same run.
 */
import { startChild, stopAll } from './children.js';
import { type Figure, inRounds, isQuick, report } from './figures.js';
import { contentOf, type Fleet, startFleet, startServiceOf } from './fleet.js';
import { measure } from './measure.js';
import { startViewers, stateOf, untilSize } from './stage.js';

const rounds = isQuick ? 2 : 7;
const size = { servers: 1000, hung: 10, rooms: 100 };
/** By then whole states are encoded, and the ten are waited for still. */
const calmMs = 1200;
const answering = size.servers - size.hung;

/** What the requests cost without the service, by a process that is as fresh as the service. */
async function bareGot(fleet: Fleet) {
  const program = await startChild('./limits/activation', {
    options: fleet.ready.ports.slice(0, answering),
  });
  const measured = await measure(program, [fleet], () => program.ask('activate'));
  await program.stop();
  return measured;
}

/** The first viewer comes, until it has all; then another one, and a third one. */
async function ours(fleet: Fleet) {
  const service = await startServiceOf(fleet, { LINGER_MS: '60000' });
  const { url } = service.ready;
  // Its one viewer comes below: no start of a process is to be measured.
  const viewers = await startViewers({
    url,
    path: '/api/events?stream=changes',
    viewers: 0,
    readers: 0,
  });
  const come = async () => {
    await viewers.ask('come');
    return untilSize(viewers, contentOf(size));
  };
  const measured = await measure(service, [fleet, viewers], come);
  const { live, complete } = await stateOf(service);
  if (live !== answering || complete) throw new Error(`wrong: ${live} live, complete: ${complete}`);
  const second = await come();
  await new Promise((resolve) => setTimeout(resolve, calmMs));
  const third = await come();
  const { complete: isDone } = await stateOf(service);
  if (isDone) throw new Error('wrong: the ten do not hang any longer');
  await stopAll(viewers, service);
  return { ...measured, second, third };
}

async function oneRound() {
  const fleet = await startFleet(size);
  const round = { bare: await bareGot(fleet), ours: await ours(fleet) };
  await fleet.stop();
  return round;
}

const results = await inRounds(rounds, oneRound);
const roundsOf = (
  of: (round: (typeof results)[number]) => Omit<Figure['rounds'][number], 'loadShare'>,
) =>
  results.map((round) => ({
    loadShare: Math.max(round.ours.loadShare, round.bare.loadShare),
    ...of(round),
  }));

report('an activation of 1,000 servers × 100 rooms, ten of which hang', [
  {
    figure: 'first frame, before the activation',
    unit: 'ms',
    aim: 50,
    rounds: roundsOf(({ ours }) => ({
      ours: ours.result.firstMessageMs,
      notes: { 'first one with rooms, ms': ours.result.firstRoomsMs },
    })),
  },
  {
    figure: 'first frame with 1,000 servers, 10 of them hung',
    unit: 'ms',
    aim: 50,
    rounds: roundsOf(({ ours }) => ({
      ours: ours.third.firstRoomsMs,
      notes: { 'at the moment when the other 990 are merged, ms': ours.second.firstRoomsMs },
    })),
  },
  {
    figure: '990 servers merged and shown',
    unit: 'ms',
    aim: 2,
    needsSpareLoad: true,
    rounds: roundsOf(({ ours, bare }) => ({
      ours: ours.result.lastFrameMs,
      limits: { 'bare got': bare.tookMs },
      notes: {
        'processor, ms': ours.cpuMs,
        'processor of bare got, ms': bare.cpuMs,
        'memory, MB': ours.after.rssMb,
      },
    })),
  },
  {
    figure: 'longest turn of the event loop',
    unit: 'ms',
    aim: 50,
    rounds: roundsOf(({ ours, bare }) => ({
      ours: ours.longestTurnMs,
      notes: { 'bare got, ms': bare.longestTurnMs },
    })),
  },
]);
