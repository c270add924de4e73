/** Where the parts of a statechart are drawn: computed when the page is built, by `elkLayout.ts`. */

import type { Drawing, Part } from './drawing.js';

/** Left, top, width and height in pixels, from the left top of the chart. */
export type Place = readonly [left: number, top: number, width: number, height: number];

export type Point = readonly [x: number, y: number];

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** By the id of a part; the root has none. */
  readonly parts: Readonly<Record<string, Place>>;
  /** By the id of an arrow. */
  readonly arrows: Readonly<Record<string, { path: readonly Point[]; label?: Place }>>;
}

/** Layouts by the id of a machine: without actions, and with them. */
export type Layouts = Readonly<Record<string, { plain: Layout; withActions: Layout }>>;

/** All parts but the root, boxes before what is in them. */
export function partsOf({ parts }: Part): Part[] {
  return parts.flatMap((part) => [part, ...partsOf(part)]);
}

/** Whether a layout is that of this drawing. It is not if the service has another version than the page. */
export function fits({ root, arrows }: Drawing, layout: Layout): boolean {
  const parts = partsOf(root);
  return (
    parts.length === Object.keys(layout.parts).length &&
    arrows.length === Object.keys(layout.arrows).length &&
    parts.every(({ id, size }) => holds(layout.parts[id], size)) &&
    arrows.every(({ id, labels, size }) =>
      labels.length === 0 ? layout.arrows[id] : holds(layout.arrows[id]?.label, size),
    )
  );
}

const holds = (place: Place | undefined, { width, height }: { width: number; height: number }) =>
  place !== undefined && place[2] >= width && place[3] >= height;
