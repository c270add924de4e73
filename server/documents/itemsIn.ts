import * as Y from 'yjs';
import type { ClockSets } from './clockRanges.js';

/** The items that a document has at these clocks. */
export function* itemsIn(doc: Y.Doc, sets: ClockSets): Generator<Y.Item> {
  for (const [client, flat] of sets)
    for (let i = 0; i < flat.length; i += 2)
      for (const struct of structsIn(doc, client, flat[i] ?? 0, flat[i + 1] ?? 0))
        if (struct instanceof Y.Item) yield struct;
}

/** The structs of a client from the one that holds clock `from` to the last one before `to`. */
function* structsIn(doc: Y.Doc, client: number, from: number, to: number) {
  const structs = doc.store.clients.get(client);
  if (structs === undefined || from >= Y.getState(doc.store, client)) return;
  for (let i = Y.findIndexSS(structs, from); i < structs.length; i += 1) {
    const struct = structs[i];
    if (struct === undefined || struct.id.clock >= to) return;
    yield struct;
  }
}
