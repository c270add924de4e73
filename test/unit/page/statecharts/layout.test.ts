import { beforeAll, describe, expect, test } from '@jest/globals';
import { charts } from '../../../../server/inspection/charts.js';
import { definitionOf, delaysOf } from '../../../../server/inspection/definition.js';
import { type ChartState, chartOf } from '../../../../server/page/statecharts/chart.js';
import { type Drawing, drawingOf, type Part } from '../../../../server/page/statecharts/drawing.js';
import { layOutAll } from '../../../../server/page/statecharts/elkLayout.js';
import {
  fits,
  type Layout,
  type Layouts,
  type Place,
  type Point,
  partsOf,
} from '../../../../server/page/statecharts/layout.js';

const machines = charts.map((machine) => ({
  definition: definitionOf(machine),
  delays: delaysOf(machine),
}));
let layouts: Layouts;
beforeAll(async () => {
  layouts = await layOutAll(machines);
});

const each = machines.flatMap(({ definition, delays }) =>
  (['plain', 'withActions'] as const).map((kind) => ({
    id: definition.id,
    kind,
    chart: chartOf(definition, delays),
  })),
);

describe.each(each)('the layout of $id, $kind', ({ id, kind, chart }) => {
  const drawing = drawingOf(chart, kind === 'withActions');
  const layout = () => layouts[id]?.[kind] ?? { width: 0, height: 0, parts: {}, arrows: {} };

  test('has a place for everything that is drawn, within the chart', () => {
    const { width, height, parts, arrows } = layout();
    expect(fits(drawing, layout())).toBe(true);
    for (const [left, top, own, high] of [...Object.values(parts), ...labelsOf(layout())]) {
      expect(Math.min(left, top)).toBeGreaterThanOrEqual(0);
      expect([left + own <= width, top + high <= height]).toEqual([true, true]);
    }
    expect(Object.keys(arrows)).toHaveLength(drawing.arrows.length);
  });

  test('has every state in its box, and no two that overlap', () => {
    const check = (part: Part) => {
      const places = part.parts.map((inner) => placeOf(layout(), inner.id));
      for (const [index, place] of places.entries()) {
        if (part.id !== '') expect(isWithin(place, placeOf(layout(), part.id))).toBe(true);
        for (const other of places.slice(index + 1)) expect(overlap(place, other)).toBe(false);
      }
      part.parts.forEach(check);
    };
    check(drawing.root);
  });

  test('has labels that overlap nothing but their arrow', () => {
    const solid = solidPlaces(drawing, layout());
    const labels = labelsOf(layout());
    for (const [index, label] of labels.entries())
      for (const other of [...labels.slice(index + 1), ...solid])
        expect([label, other, overlap(label, other)]).toEqual([label, other, false]);
  });

  test('has an arrow for each transition, from the edge of a state to the edge of another', () => {
    const drawn = drawing.arrows.flatMap(({ labels }) => labels.map(({ key }) => key));
    expect(drawn.sort()).toEqual(transitionsOf(chart).sort());
    for (const { id: arrow, from, to } of drawing.arrows) {
      const path = layout().arrows[arrow]?.path ?? [];
      expect([arrow, isOnEdge(path[0], placeOf(layout(), from))]).toEqual([arrow, true]);
      expect([arrow, isOnEdge(path.at(-1), placeOf(layout(), to))]).toEqual([arrow, true]);
    }
  });

  test('leads arrows around states and labels', () => {
    const solid = solidPlaces(drawing, layout());
    for (const [arrow, { path, label }] of Object.entries(layout().arrows)) {
      const others = labelsOf(layout()).filter((place) => place !== label);
      const pieces = path.slice(1).map((end, i) => hull(path[i] ?? end, end));
      const crossed = [...solid, ...others].filter((place) =>
        pieces.some((piece) => overlap(piece, place)),
      );
      expect([arrow, crossed]).toEqual([arrow, []]);
    }
  });
});

test('a chart of another version of the service does not fit', () => {
  const [machine] = machines;
  if (!machine) throw new Error('there are no machines');
  const { definition, delays } = machine;
  const layout = layouts[definition.id]?.plain as Layout;
  const changed = (change: (text: string) => string) =>
    drawingOf(chartOf(JSON.parse(change(JSON.stringify(definition))), delays), false);
  expect(
    fits(
      changed((text) => text),
      layout,
    ),
  ).toBe(true);
  expect(
    fits(
      changed((text) => text.replaceAll('leaving', 'parting')),
      layout,
    ),
  ).toBe(false);
  expect(
    fits(
      changed((text) => text.replaceAll('lease.taken', 'lease.taken.after.a.while')),
      layout,
    ),
  ).toBe(false);
});

const placeOf = (layout: Layout, id: string): Place => layout.parts[id] ?? [0, 0, 0, 0];

const labelsOf = ({ arrows }: Layout) =>
  Object.values(arrows).flatMap(({ label }) => (label ? [label] : []));

/** The places of what nothing may cross: all but boxes around others. */
const solidPlaces = ({ root }: Drawing, layout: Layout): Place[] =>
  partsOf(root)
    .filter(({ parts }) => parts.length === 0)
    .map(({ id }) => placeOf(layout, id));

const transitionsOf = ({ transitions, states }: ChartState): string[] => [
  ...transitions.flatMap(({ key, targets }) => targets.map(() => key)),
  ...states.flatMap(transitionsOf),
];

const isWithin = ([x, y, w, h]: Place, [left, top, width, height]: Place) =>
  x >= left && y >= top && x + w <= left + width && y + h <= top + height;

/** Touching is no overlap. */
const overlap = ([x, y, w, h]: Place, [left, top, width, height]: Place) =>
  x < left + width && left < x + w && y < top + height && top < y + h;

const hull = ([a, b]: Point, [c, d]: Point): Place => [
  Math.min(a, c),
  Math.min(b, d),
  Math.abs(a - c),
  Math.abs(b - d),
];

/** To a pixel. */
function isOnEdge(point: Point | undefined, [left, top, width, height]: Place): boolean {
  if (!point) return false;
  const [x, y] = point;
  const fromSides = Math.min(Math.abs(x - left), Math.abs(x - left - width));
  const fromEnds = Math.min(Math.abs(y - top), Math.abs(y - top - height));
  const isBetween = x >= left - 1 && x <= left + width + 1 && y >= top - 1 && y <= top + height + 1;
  return isBetween && Math.min(fromSides, fromEnds) <= 1;
}
