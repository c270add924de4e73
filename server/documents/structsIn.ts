import * as Y from 'yjs';

/** The structs of a client from the one that holds clock `from` to the last one before `to`. */
export function* structsIn(doc: Y.Doc, client: number, from: number, to: number) {
  const structs = doc.store.clients.get(client);
  if (structs === undefined || from >= Y.getState(doc.store, client)) return;
  for (let i = Y.findIndexSS(structs, from); i < structs.length; i += 1) {
    const struct = structs[i];
    if (struct === undefined || struct.id.clock >= to) return;
    yield struct;
  }
}
