import type { Part } from './drawing.js';
import type { Layout, Place, Point } from './layout.js';

/** Between regions. */
const gap = 20;
const leastWidth = 1000;

/** Puts the layouts of regions beside and below each other, each as high up as there is room. */
export function pack({ size }: Part, regions: readonly Layout[]): Layout {
  const width = Math.max(leastWidth, size.width, ...regions.map((region) => region.width));
  const top = size.height === 0 ? 0 : size.height + gap;
  const placed: Place[] = [];
  const parts: Record<string, Place> = {};
  const arrows: Record<string, Layout['arrows'][string]> = {};
  for (const region of regions) {
    const place = highest(region, placed, { top, width });
    placed.push(place);
    const moved = moveBy(region, place[0], place[1]);
    Object.assign(parts, moved.parts);
    Object.assign(arrows, moved.arrows);
  }
  return {
    width: Math.max(size.width, ...placed.map(([left, , own]) => left + own)),
    height: Math.max(top, ...placed.map(([, above, , own]) => above + own)),
    parts,
    arrows,
  };
}

/** The highest place where a region fits, and of several the leftmost. */
function highest(
  { width, height }: Layout,
  placed: readonly Place[],
  room: { top: number; width: number },
): Place {
  const lefts = [0, ...placed.map(([left, , own]) => left + own + gap)];
  const places = lefts
    .filter((left) => left === 0 || left + width <= room.width)
    .map((left): Place => [left, topAt(left, width, placed, room.top), width, height]);
  return places.reduce((best, place) => (place[1] < best[1] ? place : best));
}

/** Below all that is above. */
function topAt(left: number, width: number, placed: readonly Place[], top: number): number {
  const above = placed.filter(([x, , own]) => x < left + width + gap && left < x + own + gap);
  return Math.max(top, ...above.map(([, y, , height]) => y + height + gap));
}

/** The same layout elsewhere. */
export function moveBy({ parts, arrows, ...rest }: Layout, x: number, y: number): Layout {
  const place = ([left, top, width, height]: Place): Place => [left + x, top + y, width, height];
  return {
    ...rest,
    parts: Object.fromEntries(Object.entries(parts).map(([id, each]) => [id, place(each)])),
    arrows: Object.fromEntries(
      Object.entries(arrows).map(([id, { path, label }]) => [
        id,
        {
          path: path.map(([a, b]): Point => [a + x, b + y]),
          ...(label && { label: place(label) }),
        },
      ]),
    ),
  };
}
