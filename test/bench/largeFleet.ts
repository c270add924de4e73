/**
 * 1,000 servers with 1,000 rooms each, a million distinct names: what the service holds for each, and
 * the longest turn of its event loop while they are activated, while another viewer comes, and while
 * they are deactivated. What a viewer ends with is compared with the truth.
 */
import { type BenchChild, stopAll } from './children.js';
import { type Figure, inRounds, isQuick, report } from './figures.js';
import { contentOf, startFleet, startServiceOf, untilInactive } from './fleet.js';
import { type Measured, measure } from './measure.js';
import { startViewers, untilSize } from './stage.js';

const rounds = isQuick ? 1 : 3;
const longestTurnMs = 50;
/** By then frames of whole states, kept for those who come at the same time, are let go. */
const calmMs = 2500;
const size = { servers: 1000, hung: 0, rooms: 1000 };
const content = contentOf(size);

async function oneRound() {
  const fleet = await startFleet(size);
  const service = await startServiceOf(fleet, { LINGER_MS: '0' }, ['--expose-gc']);
  const { url } = service.ready;
  const viewers: BenchChild<object>[] = [];
  /** Another viewer, until it has every room. */
  const come = async () => {
    const path = '/api/events?stream=changes';
    const viewer = await startViewers({ url, path, viewers: 0, readers: 0 });
    viewers.push(viewer);
    return measure(service, [fleet, viewer], async () => {
      await viewer.ask('come');
      await untilSize(viewer, content, 100);
    });
  };
  const activation = await come();
  const newViewer = await come();
  await new Promise((resolve) => setTimeout(resolve, calmMs));
  const deactivation = await measure(service, [fleet], async () => {
    await stopAll(...viewers);
    await untilInactive(service, 100);
  });
  await stopAll(service, fleet);
  return { activation, newViewer, deactivation };
}

const turnsOf = ({ activation, newViewer, deactivation }: Awaited<ReturnType<typeof oneRound>>) =>
  [activation, newViewer, deactivation].map((measured) => measured.longestTurnMs);

const results = await inRounds(rounds, oneRound);
// One round alone may be all noise.
if (isQuick && results.flatMap(turnsOf).some((turnMs) => turnMs > longestTurnMs))
  results.push(await oneRound());

const turnFigure = (figure: string, name: keyof (typeof results)[number]): Figure => ({
  figure: `longest turn of the event loop, ${figure}`,
  unit: 'ms',
  aim: longestTurnMs,
  rounds: results.map((round) => {
    const measured: Measured<unknown> = round[name];
    return { ours: measured.longestTurnMs, loadShare: measured.loadShare };
  }),
});

report('1,000 servers × 1,000 rooms, a million names', [
  {
    figure: 'memory for each room and server',
    unit: 'bytes',
    aim: 150,
    // With the encoded whole state, which the second viewer was sent.
    rounds: results.map(({ activation, deactivation }) => ({
      ours: ((deactivation.before.heldMb - activation.before.heldMb) * 2 ** 20) / content.rooms,
      loadShare: activation.loadShare,
    })),
  },
  turnFigure('activation', 'activation'),
  turnFigure('another viewer comes', 'newViewer'),
  turnFigure('deactivation', 'deactivation'),
]);
