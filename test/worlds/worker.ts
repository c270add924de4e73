/** A process that runs the worlds that its parent sends, and answers with the report. */

import { runWorlds, type Work } from './work.js';

// Without its parent it ends.
const endAlone = (error: Error | null) => error && process.exit(1);

process.once('message', async (message) => {
  const report = await runWorlds(message as Work, (part) => {
    process.send?.(part, endAlone);
  });
  process.send?.(report, () => process.disconnect());
});
