/**
 * How many times a property is drawn, as an option of fast-check. `RUNS=20 npm run test:unit` draws 20 times
 * as many: the usual numbers are for a developer who waits, and every run draws others.
 */
export const runs = (usual: number) => ({ numRuns: usual * Number(process.env.RUNS ?? 1) });
