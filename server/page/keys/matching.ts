/** Scores of one word, by where it is. */
const scores = { isAll: 8, isWord: 5, begins: 4, beginsWord: 3, isInside: 2, isScattered: 1 };
/** A long text that fits is worth a little less than a short one. */
const lengthWeight = 1 / 1000;

const isLetterOrDigit = (character: string | undefined) => /[\p{L}\p{N}]/u.test(character ?? '');

/**
 * How well a text fits what was typed: every word of it has to be there, in any order and case. A word that is only
 * scattered (`ovw` for Overview) counts least. Undefined: it does not fit.
 */
export function scoreOf(text: string, typed: string): number | undefined {
  const lower = text.toLowerCase();
  let score = -lower.length * lengthWeight;
  for (const word of wordsOf(typed)) {
    const one = scoreOfWord(lower, word);
    if (one === undefined) return undefined;
    score += one;
  }
  return score;
}

/** The words that were typed, in lower case. */
export const wordsOf = (typed: string): string[] =>
  typed
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');

function scoreOfWord(text: string, word: string): number | undefined {
  if (text === word) return scores.isAll;
  const places = placesOf(text, word);
  if (places.some((at) => isBoundary(text, at) && isBoundary(text, at + word.length)))
    return scores.isWord;
  if (places[0] === 0) return scores.begins;
  if (places.some((at) => isBoundary(text, at))) return scores.beginsWord;
  if (places.length > 0) return scores.isInside;
  return word.length > 1 && isScattered(text, word) ? scores.isScattered : undefined;
}

function placesOf(text: string, word: string): number[] {
  const places: number[] = [];
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) places.push(at);
  return places;
}

/** Whether a word begins or ends at a place. */
const isBoundary = (text: string, at: number) =>
  !isLetterOrDigit(text[at - 1]) || !isLetterOrDigit(text[at]);

function isScattered(text: string, word: string): boolean {
  let at = -1;
  for (const character of word) {
    at = text.indexOf(character, at + 1);
    if (at < 0) return false;
  }
  return true;
}

/** The entries that fit best, at most so many. Those that fit equally well keep their order. */
export function bestMatches<Entry>(
  entries: Iterable<Entry>,
  typed: string,
  { textOf, count }: { textOf: (entry: Entry) => string; count: number },
): Entry[] {
  const scored: { entry: Entry; score: number }[] = [];
  for (const entry of entries) {
    const score = scoreOf(textOf(entry), typed);
    if (score !== undefined) scored.push({ entry, score });
  }
  const best = scored.sort((a, b) => b.score - a.score).slice(0, count);
  return best.map(({ entry }) => entry);
}
