/** What growing a map beyond half a million entries took in one step where the aims were set. */
const usualMs = 30;
const entries = 600_000;

let measured: number | undefined;

/**
 * How many times as long as there this machine takes now, at least once as long: beside busy neighbours
 * it can be several times, and a figure in milliseconds says as much of them as of the service.
 */
export function slowness(): number {
  measured ??= Math.max(1, Math.min(growthMs(), growthMs(), growthMs()) / usualMs);
  return measured;
}

/** The longest step of growing a map. */
function growthMs(): number {
  const names = Array.from({ length: entries }, (_, i) => `room ${i}`);
  const map = new Map<string, number>();
  let longestMs = 0;
  for (const name of names) {
    const beganAt = performance.now();
    map.set(name, 1);
    longestMs = Math.max(longestMs, performance.now() - beganAt);
  }
  return longestMs;
}
