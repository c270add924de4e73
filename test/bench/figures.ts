/** What the benchmarks share: medians, waiting, and how figures are printed and judged. */

const deadlineMs = 60_000;

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** Waits until a condition holds; answers for how long, in milliseconds. */
export async function until(isDone: () => boolean | Promise<boolean>): Promise<number> {
  const begin = performance.now();
  while (!(await isDone())) {
    if (performance.now() - begin > deadlineMs) throw new Error('not done in time');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return performance.now() - begin;
}

/** Prints figures as a table for people, and as a line of JSON for programs. */
export function printFigures(title: string, figures: Record<string, number>): void {
  process.stdout.write(`${title}\n`);
  for (const [name, value] of Object.entries(figures)) {
    const shown = Number.isInteger(value) ? value : value.toFixed(1);
    process.stdout.write(`  ${name.padEnd(22)} ${shown}\n`);
  }
  process.stdout.write(`${JSON.stringify({ title, ...figures })}\n`);
}

/** Fails the process for figures over their limits: such as no noise of a machine explains. */
export function judge<Name extends string>(
  figures: Record<Name, number>,
  limits: Partial<Record<Name, number>>,
): void {
  for (const [name, limit] of Object.entries(limits) as [Name, number][]) {
    if (figures[name] <= limit) continue;
    process.stdout.write(`${name} is ${figures[name].toFixed(1)}: more than ${limit.toFixed(1)}\n`);
    process.exitCode = 1;
  }
}
