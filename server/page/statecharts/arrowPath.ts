import type { Point } from './layout.js';

/** Of corners, in pixels. */
const radius = 7;
const headLength = 7;
const headHalf = 3.5;

/** The SVG path along these points, with round corners. It ends where the head begins. */
export function linePath(points: readonly Point[]): string {
  const shortened = [...points.slice(0, -1), neckOf(points)];
  const [start = [0, 0], ...rest] = shortened;
  const corners = rest.slice(0, -1).map((corner, i) => {
    const before = shortened[i] ?? corner;
    const after = rest[i + 1] ?? corner;
    return `L${at(towards(corner, before))}Q${at(corner)} ${at(towards(corner, after))}`;
  });
  return `M${at(start)}${corners.join('')}L${at(rest.at(-1) ?? start)}`;
}

/** The SVG path of the head, whose tip is the last point. */
export function headPath(points: readonly Point[]): string {
  const tip = points.at(-1) ?? [0, 0];
  const [x, y] = neckOf(points);
  const [dx, dy] = [tip[0] - x, tip[1] - y].map((part) => (part / headLength) * headHalf) as [
    number,
    number,
  ];
  return `M${at(tip)}L${at([x - dy, y + dx])}L${at([x + dy, y - dx])}Z`;
}

/** Where the head begins. */
function neckOf(points: readonly Point[]): Point {
  const tip = points.at(-1) ?? [0, 0];
  return along(tip, points.at(-2) ?? tip, headLength);
}

/** Half of a short piece is left to the next corner. */
function towards(corner: Point, other: Point): Point {
  return along(corner, other, Math.min(radius, distance(corner, other) / 2));
}

function along(from: Point, to: Point, length: number): Point {
  const whole = distance(from, to);
  if (whole === 0) return from;
  return [
    from[0] + ((to[0] - from[0]) * length) / whole,
    from[1] + ((to[1] - from[1]) * length) / whole,
  ];
}

const distance = (a: Point, b: Point) => Math.hypot(a[0] - b[0], a[1] - b[1]);

const at = (point: Point) => point.map((pixels) => Math.round(pixels * 100) / 100).join(' ');
