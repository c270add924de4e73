/** A box, in pixels relative to the chart. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Distance of a state's name from its top. Arrows point there. */
const nameOffset = 18;
/** The gap between an arrow and its ends, and the limits of its curve. */
const gap = 6;
const [minSwing, maxSwing] = [24, 120];

/** The SVG path of an arrow from a transition to a state; empty if one contains the other. */
export function arrowPath(from: Box, to: Box): string {
  if (holds(to, from)) return '';
  const isRight = to.left > from.left + from.width;
  const isLeft = to.left + to.width < from.left;
  const middle = from.top + from.height / 2;
  const name = to.top + Math.min(nameOffset, to.height / 2);
  if (isRight)
    return sideways(
      { x: from.left + from.width + gap, y: middle },
      { x: to.left - gap, y: name },
      1,
    );
  if (isLeft)
    return sideways(
      { x: from.left - gap, y: middle },
      { x: to.left + to.width + gap, y: name },
      -1,
    );
  // Above or below: curve to the right, around what is between.
  return around(
    { x: from.left + from.width + gap, y: middle },
    { x: to.left + to.width + gap, y: name },
  );
}

function sideways(start: Point, end: Point, sign: 1 | -1): string {
  const swing = sign * swingOf(Math.abs(end.x - start.x) / 2);
  return curve(start, { x: start.x + swing, y: start.y }, { x: end.x - swing, y: end.y }, end);
}

function around(start: Point, end: Point): string {
  // Stays within the gap between states.
  const x = Math.max(start.x, end.x) + minSwing;
  return curve(start, { x, y: start.y }, { x, y: end.y }, end);
}

const swingOf = (length: number) => Math.min(maxSwing, Math.max(minSwing, length));

const curve = (...[start, one, two, end]: [Point, Point, Point, Point]) =>
  `M ${at(start)} C ${at(one)}, ${at(two)}, ${at(end)}`;

const at = ({ x, y }: Point) => `${Math.round(x)} ${Math.round(y)}`;

const holds = (outer: Box, inner: Box) =>
  outer.left <= inner.left &&
  outer.top <= inner.top &&
  outer.left + outer.width >= inner.left + inner.width &&
  outer.top + outer.height >= inner.top + inner.height;
