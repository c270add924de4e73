/** Loads TypeScript modules of the project again and again, each time from its beginning, and packages once. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { compileFunction } from 'node:vm';
import { transformSync } from '@swc/core';

const parameters = ['require', 'module', 'exports', '__filename', '__dirname'];

/** Paths of modules, each with its body as a function. Compiled once. */
const bodies = new Map();

/** A new set of modules. `globals`: what `@jest/globals` exports. */
export function createModules(globals) {
  const loaded = new Map();
  const load = (path) => {
    const known = loaded.get(path);
    if (known) return known.exports;
    const module = { exports: {} };
    loaded.set(path, module);
    const requireOf = createRequire(path);
    const require = (name) => {
      if (name === '@jest/globals') return globals;
      const source = name.startsWith('.') ? sourceOf(resolve(dirname(path), name)) : undefined;
      return source ? load(source) : requireOf(name);
    };
    require.resolve = requireOf.resolve;
    bodyOf(path)(require, module, module.exports, path, dirname(path));
    return module.exports;
  };
  return load;
}

/** TypeScript imports `x.js`, which is `x.ts`. Undefined: it is none of this project's sources. */
function sourceOf(path) {
  const candidates = [path.replace(/\.js$/, '.ts'), path.replace(/\.js$/, '.tsx'), path];
  return candidates.find((each) => /\.[jt]sx?$/.test(each) && existsSync(each));
}

function bodyOf(path) {
  const known = bodies.get(path);
  if (known) return known;
  const { code } = transformSync(readFileSync(path, 'utf8'), {
    filename: path,
    jsc: { target: 'es2022', parser: { syntax: 'typescript', tsx: path.endsWith('x') } },
    module: { type: 'commonjs' },
  });
  const body = compileFunction(code, parameters, { filename: path });
  bodies.set(path, body);
  return body;
}
