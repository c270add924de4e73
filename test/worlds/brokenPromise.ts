/** A promise that a world broke, and when. */
export class BrokenPromise extends Error {}
