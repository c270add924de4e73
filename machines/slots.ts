/** The default of a slot: it throws. `server/wiring/wireService.ts` must replace it. */
export function emptySlot(name: string): () => never {
  return () => {
    throw new Error(`slot "${name}" is not filled`);
  };
}
