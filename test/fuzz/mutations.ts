import type { Random } from '../worlds/random.js';

/** The largest input that is made. */
const maxBytes = 4096;
const interesting = [0, 1, 0x1f, 0x22, 0x2c, 0x5b, 0x7b, 0x7f, 0x80, 0xc0, 0xe2, 0xf0, 0xff];

type Mutation = (input: Buffer, random: Random, others: Others) => Buffer;

interface Others {
  readonly tokens: readonly string[];
  readonly corpus: readonly Buffer[];
}

const placeIn = (input: Buffer, random: Random) => random.between(0, input.length);

function replace(input: Buffer, from: number, to: number, by: Uint8Array): Buffer {
  return Buffer.concat([input.subarray(0, from), by, input.subarray(to)]);
}

/** A place, and one behind it. */
function rangeIn(input: Buffer, random: Random): [from: number, to: number] {
  const from = placeIn(input, random);
  return [from, Math.min(input.length, from + random.between(1, 16))];
}

const mutations: readonly Mutation[] = [
  (input, random) => {
    const changed = Buffer.from(input);
    const at = random.between(0, Math.max(0, input.length - 1));
    changed[at] = (changed[at] ?? 0) ^ (1 << random.between(0, 7));
    return changed;
  },
  (input, random) => {
    const changed = Buffer.from(input);
    changed[random.between(0, Math.max(0, input.length - 1))] = random.pick(interesting) ?? 0;
    return changed;
  },
  (input, random) => {
    const at = placeIn(input, random);
    const bytes = Array.from({ length: random.between(1, 8) }, () => random.between(0, 255));
    return replace(input, at, at, Uint8Array.from(bytes));
  },
  (input, random, { tokens }) => {
    const [from, to] = rangeIn(input, random);
    const token = Buffer.from(random.pick(tokens) ?? '', 'latin1');
    return replace(input, from, random.chance(0.5) ? from : to, token);
  },
  (input, random) => replace(input, ...rangeIn(input, random), new Uint8Array()),
  (input, random) => {
    const [from, to] = rangeIn(input, random);
    const times = random.pick([1, 2, 8, 64]);
    return replace(input, to, to, Buffer.concat(Array(times).fill(input.subarray(from, to))));
  },
  (input, random) => input.subarray(0, placeIn(input, random)),
  (input, random, { corpus }) => {
    const other = random.pick(corpus) ?? input;
    const [from, to] = [placeIn(input, random), placeIn(other, random)];
    return Buffer.concat([input.subarray(0, from), other.subarray(to)]);
  },
];

/** An input like another one, changed at one place or some. */
export function mutate(input: Buffer, random: Random, others: Others): Buffer {
  let mutated = input;
  for (let i = random.pick([1, 1, 2, 4]); i > 0; i -= 1)
    mutated = random.pick(mutations)?.(mutated, random, others) ?? mutated;
  return Buffer.from(mutated.subarray(0, maxBytes));
}
