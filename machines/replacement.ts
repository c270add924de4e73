/** A bug may strike again at once. Without a pause the service would do nothing but replace actors. */
export const replacementMs = 1000;

/** Whether an actor threw. */
export function hasFailed<T extends { ref: { getSnapshot(): { status: string } } }>(
  held: T | undefined,
): held is T {
  return held?.ref.getSnapshot().status === 'error';
}
