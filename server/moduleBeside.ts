/** True when the service runs from its TypeScript sources, which tsx loads. */
const isSource = import.meta.url.endsWith('.ts');

/** Node options for a forked process, so that it can load a module of the service. */
export const forkOptions = (): string[] =>
  isSource ? ['--import', import.meta.resolve('tsx')] : [];

/** The module `name` in the folder of the module at `url`: its source, or its compiled file. */
export function moduleBeside(url: string, name: string): URL {
  return new URL(`${name}.${isSource ? 'ts' : 'js'}`, url);
}

/** The same module as the entry of a worker thread. */
export function threadBeside(url: string, name: string): URL {
  const module = moduleBeside(url, name);
  if (!isSource) return module;
  // A thread does not inherit tsx, and `--import` does not reach it.
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const code = `import { register } from ${tsx}; register(); await import(${JSON.stringify(module.href)});`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}
