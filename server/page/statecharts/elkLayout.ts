/** Lays out statecharts with the Eclipse Layout Kernel. Runs when the page is built, and is not part of it. */

import ELK, {
  type ElkExtendedEdge,
  type ElkNode,
  type LayoutOptions,
} from 'elkjs/lib/elk.bundled.js';
import type { Delays, StateDefinition } from '../../wire/machines.js';
import { chartOf } from './chart.js';
import { type Arrow, type Drawing, drawingOf, type Part } from './drawing.js';
import { type Layout, type Layouts, type Place, type Point, partsOf } from './layout.js';
import { moveBy, pack } from './pack.js';

const elk = new ELK.default();

/** Of every box. https://eclipse.dev/elk/reference/options.html */
const options: LayoutOptions = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
  'elk.spacing.nodeNode': '28',
  'elk.spacing.edgeNode': '18',
  'elk.spacing.edgeEdge': '14',
  'elk.spacing.edgeLabel': '4',
  'elk.spacing.labelLabel': '4',
  'elk.layered.spacing.nodeNodeBetweenLayers': '22',
  'elk.layered.spacing.edgeNodeBetweenLayers': '14',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '12',
};

const margin = 16;

/** Places all parts and arrows of a drawing. Only boxes overlap with what is in them. */
export async function layOut({ root, arrows }: Drawing): Promise<Layout> {
  const graphs = root.isParallel ? root.parts : [root];
  const laidOut = await Promise.all(graphs.map((part) => layOutPart(part, arrows)));
  return pack(root, laidOut);
}

/** The layouts of all machines. */
export async function layOutAll(
  machines: readonly { definition: StateDefinition; delays: Delays }[],
): Promise<Layouts> {
  const layouts: [string, Layouts[string]][] = [];
  for (const { definition, delays } of machines) {
    const chart = chartOf(definition, delays);
    const plain = await layOut(drawingOf(chart, false));
    const withActions = await layOut(drawingOf(chart, true));
    layouts.push([definition.id, { plain, withActions }]);
  }
  return Object.fromEntries(layouts);
}

/** A part with everything in it. */
async function layOutPart(part: Part, arrows: readonly Arrow[]): Promise<Layout> {
  const own = new Set([part, ...partsOf(part)].map(({ id }) => id));
  const graph: ElkNode = {
    id: '@graph',
    layoutOptions: {
      ...options,
      'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
      'elk.json.shapeCoords': 'ROOT',
      'elk.json.edgeCoords': 'ROOT',
    },
    children: part.id === '' ? part.parts.map(nodeOf) : [nodeOf(part)],
    edges: arrows.filter(({ from }) => own.has(from)).map(edgeOf),
  };
  const { children = [], edges = [] } = await elk.layout(graph);
  return cropped({
    parts: Object.fromEntries(children.flatMap(placesOf)),
    arrows: Object.fromEntries(edges.map(arrowOf)),
  });
}

/** ELK leaves room at the top. */
function cropped({ parts, arrows }: Pick<Layout, 'parts' | 'arrows'>): Layout {
  const places = [
    ...Object.values(parts),
    ...Object.values(arrows).flatMap(({ path, label }) => [
      ...path.map(([x, y]): Place => [x, y, 0, 0]),
      ...(label ? [label] : []),
    ]),
  ];
  const left = Math.min(...places.map(([x]) => x));
  const top = Math.min(...places.map(([, y]) => y));
  const width = Math.max(...places.map(([x, , own]) => x + own)) - left;
  const height = Math.max(...places.map(([, y, , own]) => y + own)) - top;
  return moveBy({ width, height, parts, arrows }, -left, -top);
}

function nodeOf({ id, size: { width, height }, parts }: Part): ElkNode {
  if (parts.length === 0) return { id, width, height };
  return {
    id,
    layoutOptions: {
      ...options,
      'elk.padding': `[top=${height + margin},left=${margin},bottom=${margin},right=${margin}]`,
      'elk.nodeSize.constraints': '[MINIMUM_SIZE]',
      'elk.nodeSize.minimum': `(${width}, ${height})`,
    },
    children: parts.map(nodeOf),
  };
}

const edgeOf = ({ id, from, to, labels, size }: Arrow): ElkExtendedEdge => ({
  id,
  sources: [from],
  targets: [to],
  layoutOptions: { 'elk.layered.priority.shortness': labels.length === 0 ? '10' : '0' },
  labels:
    labels.length === 0
      ? []
      : [{ text: id, ...size, layoutOptions: { 'elk.edgeLabels.inline': 'true' } }],
});

function placesOf(node: ElkNode): [string, Place][] {
  return [[node.id, placeOf(node)], ...(node.children ?? []).flatMap(placesOf)];
}

const placeOf = (shape: { x?: number; y?: number; width?: number; height?: number }): Place => {
  const { x = 0, y = 0, width = 0, height = 0 } = shape;
  return [x, y, width, height].map(rounded) as unknown as Place;
};

function arrowOf({
  id,
  sections = [],
  labels = [],
}: ElkExtendedEdge): [string, Layout['arrows'][string]] {
  const path = sections.flatMap(({ startPoint, bendPoints = [], endPoint }) =>
    [startPoint, ...bendPoints, endPoint].map(({ x, y }): Point => [rounded(x), rounded(y)]),
  );
  const [label] = labels;
  return [id, { path, ...(label && { label: placeOf(label) }) }];
}

const rounded = (pixels: number) => Math.round(pixels * 2) / 2;
