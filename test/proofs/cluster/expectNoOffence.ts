import { expect } from '@jest/globals';
import { run } from './run.js';
import { scenarios } from './scenarios.js';

/**
 * Runs a scenario once. On a busy machine figures are worse than those of docs/performance.md: no test depends
 * on them.
 */
export async function expectNoOffence(name: string): Promise<void> {
  const scenario = scenarios.find((each) => each.name === name);
  if (!scenario) throw new Error(`there is no scenario "${name}"`);
  const outcome = await run(scenario);
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
  expect(outcome.offences).toEqual([]);
}
