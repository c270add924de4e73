/**
 * Faults of a real cluster: `npm run cluster -- --leaders 100` kills that many leaders in a row under
 * load. Without it, `--rounds 5` plays every scenario so often; `--only Redis` those whose name contains
 * that; `--list` prints the names. The exit code is 1 if a promise was broken.
 */
import { parseArgs } from 'node:util';
import { canCutNetworks } from './network.js';
import { run } from './run.js';
import { scenarios } from './scenarios.js';

const { values } = parseArgs({
  options: {
    leaders: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    instances: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    list: { type: 'boolean', default: false },
  },
});
const { leaders, list } = values;
const only = leaders === undefined ? values.only : 'killed under load';
const rounds = Number(leaders ?? values.rounds);
const instances = Number(values.instances);
const seed = Number(values.seed);

for (const scenario of scenarios.filter(({ name }) => name.includes(only))) {
  if (list) {
    process.stdout.write(`${scenario.name}\n`);
    continue;
  }
  if (scenario.needsNetwork && !canCutNetworks()) {
    process.stdout.write(`${scenario.name}: not run, as it needs network namespaces\n`);
    continue;
  }
  const outcome = await run(scenario, { rounds, instances, seed });
  process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
  if (outcome.offences.length > 0) process.exitCode = 1;
}
process.exit();
