/** The filling of a slot that `server/wiring/wireService.ts` must replace; reaching it is a defect. */
export function emptySlot(name: string): () => never {
  return () => {
    throw new Error(`slot "${name}" is not filled`);
  };
}
