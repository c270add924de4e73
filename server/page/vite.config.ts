import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';
import { charts } from '../inspection/charts.js';
import { definitionOf, delaysOf } from '../inspection/definition.js';
import { layOutAll } from './statecharts/elkLayout.js';

const outDir = '../../dist/server/page';

/** Writes compressed copies beside each file, for the service to send. */
function compress(): Plugin {
  return {
    name: 'compress',
    apply: 'build',
    closeBundle() {
      const folder = join(import.meta.dirname, outDir);
      const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
      for (const name of files.filter((file) => /\.(js|css|html|svg)$/.test(file))) {
        const bytes = readFileSync(join(folder, name));
        writeFileSync(join(folder, `${name}.br`), brotliCompressSync(bytes));
        writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

/** The layouts of the statecharts, so that the page needs no layout library. */
function statechartLayouts(): Plugin {
  const name = 'virtual:statechart-layouts';
  const resolved = `\0${name}`;
  return {
    name,
    resolveId: (id) => (id === name ? resolved : undefined),
    async load(id) {
      if (id !== resolved) return undefined;
      const machines = charts.map((machine) => ({
        definition: definitionOf(machine),
        delays: delaysOf(machine),
      }));
      return `export default ${JSON.stringify(await layOutAll(machines))};`;
    },
  };
}

/** Relative paths, so that a proxy can serve the page under any path. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  publicDir: false,
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    // Browsers without it load a moment later.
    modulePreload: { polyfill: false },
    // One chunk of what every page needs: twenty small ones, shared with the views, compress a tenth worse.
    rolldownOptions: {
      // The layouts of the statecharts take a second or two, which is no mistake.
      checks: { pluginTimings: false },
      output: { codeSplitting: { groups: [{ name: 'page', tags: ['$initial'] }] } },
    },
  },
  worker: { format: 'es' },
  plugins: [statechartLayouts(), compress()],
});
