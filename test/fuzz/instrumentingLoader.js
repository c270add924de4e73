/** A loader of Node's (`node:module`, "Customization Hooks") that has code count its branches, as Istanbul does. */
import { createInstrumenter } from 'istanbul-lib-instrument';

/** Of libraries only Yjs and lib0 read what strangers write. */
const isFuzzed = (url) =>
  /\/server\/.*\.ts|\/machines\/.*\.ts|node_modules\/(yjs|lib0)\//.test(url);

const instrumenter = createInstrumenter({ esModules: true, compact: false });

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  if (loaded.format !== 'module' || !loaded.source || !isFuzzed(url)) return loaded;
  return { ...loaded, source: instrumenter.instrumentSync(String(loaded.source), url) };
}
