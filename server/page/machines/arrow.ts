/** A box, in pixels of the chart that it is in. */
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

/** How far below a state's top its name is: arrows point there. */
const nameOffset = 18;
/** How far an arrow ends before what it points at, and the least and most that it swings out. */
const gap = 6;
const [minSwing, maxSwing] = [24, 120];

/** An SVG path from a word of a chart to a state, ending where it can be seen; empty when one holds the other. */
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
  // Above or below: out to the right and back in, past what is between them.
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
  // No further than the gap beside a state is wide.
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
