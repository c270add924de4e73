/** What is drawn of a statechart, with the room that it takes. Where it is placed is in `layout.ts`. */

import { type ChartState, type ChartTransition, isInside } from './chart.js';
import { cutMiddle, labelSize, lineHeight, nameHeight, nameSize, widthOf, wrap } from './words.js';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** `initial` is the dot before the first state of a box, `any` stands for all states of a box. */
export type Kind = 'state' | 'final' | 'box' | 'region' | 'initial' | 'any';

/** A state, or what stands for states. */
export interface Part {
  /** The path of a state. Others have the path of the box around them and their kind: `active@initial`. */
  readonly id: string;
  readonly kind: Kind;
  readonly name: string;
  /** The path, and what a state is for. */
  readonly fullName: string;
  /** What a state does, below its name. */
  readonly lines: readonly string[];
  /** Of its name and lines. */
  readonly size: Size;
  readonly parts: readonly Part[];
  readonly isParallel: boolean;
}

/** A transition as words beside its arrow. */
export interface Label {
  /** The key of the transition. */
  readonly key: string;
  /** In full. */
  readonly text: string;
  readonly lines: readonly string[];
}

/** All transitions from one part to another. */
export interface Arrow {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** None: it begins at the dot. */
  readonly labels: readonly Label[];
  readonly size: Size;
}

export interface Drawing {
  /** The root, which is not drawn as a box. */
  readonly root: Part;
  readonly arrows: readonly Arrow[];
}

/** Characters in a line. */
const maxName = 28;
const maxLabel = 34;
const maxLine = 44;

export const headPadding = { x: 12, y: 7 };
export const labelPadding = { x: 6, y: 2 };
const minStateWidth = 84;
/** Beside a name, for the number of actors. */
const countRoom = 36;
const dot = 10;

/** Prepares a chart for drawing; with the actions of its states and transitions, if they are wanted. */
export function drawingOf(chart: ChartState, hasActions: boolean): Drawing {
  const links = linksOf(chart, hasActions);
  const anyIds = new Set(links.map(({ from }) => from).filter((id) => id.endsWith('@any')));
  return {
    root: partOf(chart, { hasActions, anyIds, isRegion: false }),
    arrows: [...initialArrows(chart), ...links.map(sized)],
  };
}

interface About {
  hasActions: boolean;
  anyIds: ReadonlySet<string>;
  isRegion: boolean;
}

function partOf(state: ChartState, about: About): Part {
  const { path, key, description, states } = state;
  const isParallel = state.type === 'parallel';
  const lines = linesOf(state, about.hasActions);
  const name = cutMiddle(key, maxName);
  const parts = states.map((each) => partOf(each, { ...about, isRegion: isParallel }));
  const marks: Part[] = [];
  if (states.length > 0 && !isParallel) marks.push(markOf(path, 'initial'));
  if (about.anyIds.has(`${path}@any`)) marks.push(markOf(path, 'any'));
  const kind = about.isRegion ? 'region' : kindOf(state);
  return {
    id: path,
    kind,
    name,
    fullName: description === undefined ? path : `${path}: ${description}`,
    lines,
    size: headSize(state, lines, kind),
    parts: [...marks, ...parts],
    isParallel,
  };
}

function kindOf({ type, states }: ChartState): Kind {
  if (states.length > 0) return 'box';
  return type === 'final' ? 'final' : 'state';
}

function markOf(path: string, kind: 'initial' | 'any'): Part {
  const name = kind === 'any' ? 'any state' : '';
  const size =
    kind === 'any'
      ? { width: widthOf(name, labelSize) + 2 * headPadding.x, height: lineHeight + 6 }
      : { width: dot, height: dot };
  const id = `${path}@${kind}`;
  return { id, kind, name, fullName: name, lines: [], size, parts: [], isParallel: false };
}

function headSize({ path, key }: ChartState, lines: readonly string[], kind: Kind): Size {
  // The root has no name: the card around the chart has it.
  const widest = Math.max(0, ...lines.map((line) => widthOf(line, labelSize)));
  const room = kind === 'region' ? 0 : countRoom;
  const own = path === '' ? 0 : widthOf(cutMiddle(key, maxName), nameSize, true) + room;
  const height = (path === '' ? 0 : nameHeight) + lines.length * lineHeight;
  return {
    width: Math.max(minStateWidth, Math.max(own, widest) + 2 * headPadding.x),
    height: height === 0 ? 0 : height + 2 * headPadding.y,
  };
}

/** What a state does: on entry, on exit, while it is in it, and on events that do not lead to another. */
function linesOf({ entry, exit, invokes, transitions }: ChartState, hasActions: boolean): string[] {
  const lines = invokes.length > 0 ? [`invokes ${invokes.join(', ')}`] : [];
  if (!hasActions) return lines.flatMap((line) => wrap(line, maxLine));
  if (entry.length > 0) lines.push(`entry / ${entry.join(', ')}`);
  if (exit.length > 0) lines.push(`exit / ${exit.join(', ')}`);
  const silent = transitions.filter(({ targets }) => targets.length === 0);
  lines.push(...silent.map((transition) => wordsOf(transition, true)));
  return lines.flatMap((line) => wrap(line, maxLine));
}

interface Link {
  from: string;
  to: string;
  labels: Label[];
}

function linksOf(chart: ChartState, hasActions: boolean): Link[] {
  const links = new Map<string, Link>();
  const visit = (state: ChartState, ancestors: readonly ChartState[]) => {
    const line = [...ancestors, state];
    for (const transition of state.transitions)
      for (const target of transition.targets) {
        const [from, to] = endsOf(state.path, target, line);
        const link = links.get(`${from}>${to}`) ?? { from, to, labels: [] };
        links.set(`${from}>${to}`, link);
        link.labels.push(labelOf(transition, hasActions));
      }
    for (const inner of state.states) visit(inner, line);
  };
  visit(chart, []);
  return [...links.values()];
}

/** Where an arrow begins and ends. Between a box and what is in it: at the marks of the box. */
function endsOf(source: string, target: string, line: readonly ChartState[]): [string, string] {
  if (isInside(source, target)) return [source, `${target}@initial`];
  if (!isInside(target, source)) return [source, target];
  let box = line.at(-1);
  // In the region of the target, not between regions.
  while (box?.type === 'parallel')
    box = box.states.find(({ path }) => path === target || isInside(target, path));
  const isRegion = box?.path === target;
  return [`${box === undefined || isRegion ? source : box.path}@any`, target];
}

function labelOf(transition: ChartTransition, hasActions: boolean): Label {
  const text = wordsOf(transition, hasActions);
  return { key: transition.key, text, lines: wrap(text, maxLabel) };
}

function wordsOf({ cause, guard, actions }: ChartTransition, hasActions: boolean): string {
  const words = guard === undefined ? cause : `${cause} [${guard}]`;
  return hasActions && actions.length > 0 ? `${words} / ${actions.join(', ')}` : words;
}

function sized({ from, to, labels }: Link): Arrow {
  const lines = labels.flatMap((label) => label.lines);
  const size = {
    width: Math.max(...lines.map((line) => widthOf(line, labelSize))) + 2 * labelPadding.x,
    height: lines.length * lineHeight + 2 * labelPadding.y,
  };
  return { id: `${from}>${to}`, from, to, labels, size };
}

function initialArrows({ path, type, states }: ChartState): Arrow[] {
  const first = type === 'parallel' ? undefined : states.find(({ isInitial }) => isInitial);
  const from = `${path}@initial`;
  const own = first && {
    id: `${from}>${first.path}`,
    from,
    to: first.path,
    labels: [],
    size: { width: 0, height: 0 },
  };
  return [...(own ? [own] : []), ...states.flatMap(initialArrows)];
}
