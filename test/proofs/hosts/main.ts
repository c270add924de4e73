/**
 * Long random runs of the agent on real servers: `npm run hosts -- --operations 10000`. `--hosts
 * hocuspocus-3,hocuspocus-4` names some of them, `--seed 7` repeats a run.
 */
import { parseArgs } from 'node:util';
import { runHocuspocus } from './hocuspocusRun.js';
import type { HostRunFigures, HostRunOptions } from './hostRun.js';
import { runLong } from './longRun.js';
import { ySocketIoKind } from './ySocketIoKind.js';
import { yWebsocketKinds } from './yWebsocketKinds.js';

const runs: Record<string, (options: HostRunOptions) => Promise<HostRunFigures>> = {
  'hocuspocus-2': (options) => runHocuspocus(2, options),
  'hocuspocus-3': (options) => runHocuspocus(3, options),
  'hocuspocus-4': (options) => runHocuspocus(4, options),
};
for (const kind of [...yWebsocketKinds, ySocketIoKind])
  runs[kind.name.replaceAll(/[ ,]+/g, '-')] = (options) => runLong(kind, options);

const { values } = parseArgs({
  options: {
    operations: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    hosts: { type: 'string', default: Object.keys(runs).join(',') },
  },
});
const options = { operations: Number(values.operations), seed: Number(values.seed) };
for (const name of values.hosts.split(',')) {
  const run = runs[name];
  if (!run) throw new Error(`There is no host "${name}". Known: ${Object.keys(runs).join(', ')}`);
  const figures = await run(options);
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  const { differences, rejections, snapshots = [] } = figures;
  if (differences.length + rejections.length + snapshots.length > 0) process.exitCode = 1;
}
process.exit();
