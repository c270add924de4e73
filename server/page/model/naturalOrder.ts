const zero = 48;
const nine = 57;
const isDigit = (code: number) => code >= zero && code <= nine;

/** Compares as people sort: numbers by value, so `web-2` is before `web-10`. All else by code unit. */
export function compareNatural(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(j)];
    if (isDigit(x) && isDigit(y)) {
      const [iEnd, jEnd] = [endOfDigits(a, i), endOfDigits(b, j)];
      const difference = compareNumbers(a, i, iEnd, b, j, jEnd);
      if (difference !== 0) return difference;
      i = iEnd;
      j = jEnd;
    } else if (x !== y) return x - y;
    else {
      i += 1;
      j += 1;
    }
  }
  return a.length - i - (b.length - j) || compareCodes(a, b);
}

/** By code unit. */
export const compareCodes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function endOfDigits(text: string, from: number): number {
  let end = from;
  while (end < text.length && isDigit(text.charCodeAt(end))) end += 1;
  return end;
}

/** Numbers of any length, which may begin with zeros. */
function compareNumbers(a: string, i: number, iEnd: number, b: string, j: number, jEnd: number) {
  let x = i;
  let y = j;
  while (x < iEnd && a.charCodeAt(x) === zero) x += 1;
  while (y < jEnd && b.charCodeAt(y) === zero) y += 1;
  if (iEnd - x !== jEnd - y) return iEnd - x - (jEnd - y);
  for (; x < iEnd; x += 1, y += 1) {
    const difference = a.charCodeAt(x) - b.charCodeAt(y);
    if (difference !== 0) return difference;
  }
  return 0;
}
