import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { createMachine } from 'xstate';
import { mermaidOf } from '../../../docs/internals/mermaid.js';
import { statechartsPage } from '../../../docs/internals/statecharts.js';
import { charts } from '../../../server/inspection/charts.js';
import { definitionOf } from '../../../server/inspection/definition.js';

const key = String.raw`(\w+|\[\*\])`;
/** Mermaid accepts more forms than these. Try a new one with Mermaid itself. */
const forms = {
  open: /^state "[^"]+" as (\w+) \{$/,
  state: /^state "[^"]+" as (\w+)$/,
  // A label ends at a colon, a semicolon or the line's end; braces and quotes are read as syntax.
  arrow: new RegExp(`^${key} --> ${key}(?:: [^:;{}"#%]+)?$`),
  region: /^--$/,
  close: /^\}$/,
};
/** Words that cannot be names of states. */
const reserved = ['state', 'note', 'end', 'direction', 'class', 'classDef', 'style', 'default'];

/** Problems of a diagram: lines of an unknown form, and states that are unknown, repeated or in two blocks. */
function faultsIn(diagram: string): string[] {
  const faults: string[] = [];
  const [head, ...lines] = diagram.trimEnd().split('\n');
  if (head !== 'stateDiagram-v2') faults.push(`head: ${head}`);
  const homes = new Map<string, string>();
  const blocks = [''];
  const arrows: { ends: string[]; block: string }[] = [];
  const declare = (name: string) => {
    if (homes.has(name) || reserved.includes(name)) faults.push(`declared: ${name}`);
    homes.set(name, blocks.at(-1) ?? '');
  };
  for (const line of lines.map((each) => each.trim())) {
    const [, opened] = forms.open.exec(line) ?? [];
    const [, declared] = forms.state.exec(line) ?? [];
    const arrow = forms.arrow.exec(line);
    if (opened) {
      declare(opened);
      blocks.push(opened);
    } else if (declared) declare(declared);
    else if (arrow) arrows.push({ ends: arrow.slice(1, 3), block: blocks.at(-1) ?? '' });
    else if (forms.close.test(line)) {
      if (blocks.length === 1) faults.push('closed too often');
      else blocks.pop();
    } else if (!forms.region.test(line)) faults.push(`line: ${line}`);
  }
  if (blocks.length > 1) faults.push(`open: ${blocks.at(-1)}`);
  for (const { ends, block } of arrows)
    for (const end of ends.filter((name) => name !== '[*]')) {
      const home = homes.get(end);
      if (home === undefined) faults.push(`unknown: ${end}`);
      else if (block !== '' && home !== block) faults.push(`moved: ${end} to ${block}`);
    }
  return faults;
}

const file = new URL('../../../docs/internals/statecharts.md', import.meta.url);
const diagramsIn = (text: string) =>
  [...text.matchAll(/^```mermaid\n(.*?)^```$/gms)].map(([, diagram = '']) => diagram);

describe('docs/internals/statecharts.md', () => {
  test('is what `npm run docs` writes now', async () => {
    expect(await readFile(file, 'utf8')).toBe(statechartsPage());
  });

  test('has a diagram of every machine, in the syntax of Mermaid', async () => {
    const diagrams = diagramsIn(await readFile(file, 'utf8'));
    expect(diagrams).toHaveLength(charts.length);
    expect(diagrams.flatMap(faultsIn)).toEqual([]);
  });

  test.each(charts.map((machine) => [machine.id, machine] as const))(
    'names every guard, delay, action, actor and state of %s',
    async (id, { implementations, root }) => {
      const text = await readFile(file, 'utf8');
      const chapter = text.split(/^## /m).find((part) => part.startsWith(`${id}\n`)) ?? '';
      const { guards, delays, actors } = implementations as unknown as Record<string, object>;
      const names = [guards, delays, actors].flatMap((named) => Object.keys({ ...named }));
      expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(chapter))).toEqual([]);
      const [diagram = ''] = diagramsIn(chapter);
      const statesOf = (node: typeof root): string[] =>
        Object.values(node.states).flatMap((state) => [state.path.join('_'), ...statesOf(state)]);
      const drawn = statesOf(root).filter((state) => diagram.includes(`as ${state}`));
      expect(drawn).toEqual(statesOf(root));
    },
  );
});

test('a self-transition gets its own start, and an arrow across blocks stands outside them', () => {
  const machine = createMachine({
    id: 'm',
    initial: 'a',
    states: {
      a: {
        initial: 'b',
        on: { into: '.c', again: { target: 'a', reenter: true } },
        states: {
          b: { on: { out: { guard: 'isDone', target: '#m.d' } } },
          c: { on: { up: '#m.a' } },
        },
      },
      d: { type: 'final' },
    },
  });
  const diagram = mermaidOf(definitionOf(machine));
  expect(diagram.split('\n').map((line) => line.trimEnd())).toEqual([
    'stateDiagram-v2',
    '  state "a" as a {',
    '    state "in any state" as a_any',
    '    state "b" as a_b',
    '    state "c" as a_c',
    '    [*] --> a_b',
    '    a_any --> a_c: into',
    '    a_any --> a_b: again',
    '    a_c --> a_b: up',
    '  }',
    '  state "d" as d',
    '  d --> [*]',
    '  [*] --> a',
    '  a_b --> d: out [isDone]',
    '',
  ]);
  expect(faultsIn(diagram)).toEqual([]);
});

test.each([
  ['head', 'stateDiagram\n'],
  ['line', 'stateDiagram-v2\n a -> b\n'],
  ['line', 'stateDiagram-v2\n state "a" as a\n a --> a: x: y\n'],
  ['open', 'stateDiagram-v2\n state "a" as a {\n'],
  ['closed', 'stateDiagram-v2\n }\n'],
  ['unknown', 'stateDiagram-v2\n state "a" as a\n a --> b\n'],
  ['declared', 'stateDiagram-v2\n state "a" as a\n state "A" as a\n'],
  ['declared', 'stateDiagram-v2\n state "end" as end\n'],
  ['moved', 'stateDiagram-v2\n state "a" as a\n state "b" as b {\n state "c" as c\n c --> a\n }\n'],
])('the check finds a fault of kind "%s"', (kind, diagram) => {
  expect(faultsIn(diagram)).toEqual([expect.stringMatching(`^${kind}`)]);
});
