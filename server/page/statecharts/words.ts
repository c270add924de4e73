/** Sizes of words before there is a browser to measure them: a chart is laid out when the page is built. */

/** Sizes of the chart's text in pixels; the style sheet has the same. */
export const nameSize = 13;
export const labelSize = 11.5;
export const lineHeight = 16;
export const nameHeight = 20;

/** Widths in em of a wide interface font. In a wider one the text is squeezed to fit. */
const widths: readonly [RegExp, number][] = [
  [/[ijl.,:;'|! ]/, 0.3],
  [/[()[\]frt/-]/, 0.4],
  [/[mwMW→]/, 0.92],
  [/[A-Z…]/, 0.7],
];
const otherWidth = 0.6;
const boldFactor = 1.06;

/** The width of a text in pixels, about. */
export function widthOf(text: string, size: number, isBold = false): number {
  let em = 0;
  for (const character of text)
    em += widths.find(([pattern]) => pattern.test(character))?.[1] ?? otherWidth;
  return Math.ceil(em * size * (isBold ? boldFactor : 1));
}

/** Breaks a text at its spaces into lines of at most this many characters. Cuts the middle of longer words. */
export function wrap(text: string, max: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ').map((each) => cutMiddle(each, max))) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= max)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A text of at most this many characters. The beginning and the end stay. */
export function cutMiddle(text: string, max: number): string {
  const characters = [...text];
  if (characters.length <= max) return text;
  const end = Math.floor((max - 1) / 2);
  return [...characters.slice(0, max - 1 - end), '…', ...characters.slice(-end)].join('');
}
