/** Writes docs/internals/statecharts.md: `npm run docs`. A test fails when the file is not what this makes. */

import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { charts } from '../../server/inspection/charts.js';
import { definitionOf, delaysOf } from '../../server/inspection/definition.js';
import type { StateDefinition } from '../../server/wire/machines.js';
import { conditionOf, mermaidOf, nameOf, triggersOf } from './mermaid.js';

const head = `# Statecharts

The machines of the service, drawn from their definitions. \`npm run docs\` writes this page, and a test fails when it is out of date. [Architecture](architecture.md) explains the states. [\`GET /api/machines\`](../protocol.md#get-apimachines) returns the same definitions with the current states of all actors.

In the pictures an arrow says \`event [guard]\`. \`else\` is the last of several candidates. *In any state* stands for every state in the box around it. The tables also have actions, and transitions that stay in their state.
`;

const code = (text: string) => `\`${text}\``;
const row = (...cells: string[]) => `| ${cells.join(' | ')} |`;

function tableOf(state: StateDefinition): string[] {
  const { entry, exit, invoke = [], states = {} } = state;
  const path = code(state.id.split('.').slice(1).join('.') || state.id);
  const does = (actions: Parameters<typeof nameOf>[0][] = []) =>
    actions.map((action) => code(nameOf(action))).join(', ');
  const invoked = invoke.map(({ src }) => code(src)).join(', ');
  return [
    ...(invoked ? [row(path, 'while in it', '', `invokes ${invoked}`, '')] : []),
    ...(entry ? [row(path, 'entry', '', does(entry), '')] : []),
    ...triggersOf(state).flatMap(({ on, candidates }) =>
      candidates.map((candidate, place) => {
        const condition = conditionOf(candidate, place);
        const targets = (candidate.target ?? []).map((id) =>
          code(id.split('.').slice(1).join('.')),
        );
        const to = `${targets.join(', ')}${candidate.reenter ? ', re-entered' : ''}`;
        return row(path, code(on), condition ? code(condition) : '', does(candidate.actions), to);
      }),
    ),
    ...(exit ? [row(path, 'exit', '', does(exit), '')] : []),
    ...Object.values(states).flatMap(tableOf),
  ];
}

function chapterOf(machine: (typeof charts)[number]): string {
  const definition = definitionOf(machine);
  const delays = Object.entries(delaysOf(machine)).map(([name, ms]) =>
    row(code(name), ms === null ? 'follows from the context' : `${ms} ms`),
  );
  const { actors: logics } = machine.implementations as { actors: object };
  const actors = Object.keys(logics).map(code);
  return [
    `## ${machine.id}`,
    '',
    `From ${code(`machines/${machine.id}Machine.ts`)}. Actors that it invokes or spawns: ${actors.join(', ')}.`,
    '',
    '```mermaid',
    `${mermaidOf(definition)}\`\`\``,
    '',
    '| state | when | if | does | goes to |',
    '| --- | --- | --- | --- | --- |',
    ...tableOf(definition),
    '',
    '| delay | |',
    '| --- | --- |',
    ...delays,
    '',
  ].join('\n');
}

/** The whole page. */
export const statechartsPage = (): string => [head, ...charts.map(chapterOf)].join('\n');

const isRun = process.argv[1] === fileURLToPath(import.meta.url);
if (isRun) await writeFile(new URL('statecharts.md', import.meta.url), statechartsPage());
