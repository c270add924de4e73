/** How colors look to people who lack one kind of cones, and how much they differ. */

/** Red, green and blue from 0 to 1, linear. */
type Linear = readonly [number, number, number];

type Matrix = readonly [Linear, Linear, Linear];

/**
 * Protanopia, deuteranopia and tritanopia: G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A
 * Physiologically-based Model for Simulation of Color Vision Deficiency", 2009, severity 1.
 */
const deficiencies: readonly Matrix[] = [
  [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
];

/** Reads `#rrggbb`. */
export function linearOf(hex: string): Linear {
  const channel = (at: number) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

const times = (matrix: Matrix, [r, g, b]: Linear): Linear => {
  const row = ([x, y, z]: Linear) => x * r + y * g + z * b;
  return [row(matrix[0]), row(matrix[1]), row(matrix[2])];
};

const clamped = ([r, g, b]: Linear): Linear => {
  const clamp = (value: number) => Math.min(1, Math.max(0, value));
  return [clamp(r), clamp(g), clamp(b)];
};

/** Oklab (https://bottosson.github.io/posts/oklab/). */
function oklabOf(color: Linear): Linear {
  const [l, m, s] = times(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    color,
  ).map(Math.cbrt) as unknown as Linear;
  return times(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    [l, m, s],
  );
}

const distance = (a: Linear, b: Linear) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);

/** The least distance in Oklab between two of these colors, to anybody. Some 0.02 is just noticeable side by side. */
export function leastDifference(colors: readonly Linear[]): number {
  const views = [
    colors.map(oklabOf),
    ...deficiencies.map((matrix) => colors.map((color) => oklabOf(clamped(times(matrix, color))))),
  ];
  const distances = views.flatMap((seen) =>
    seen.flatMap((one, i) => seen.slice(0, i).map((other) => distance(one, other))),
  );
  return Math.min(...distances);
}

/** The contrast of two colors (WCAG 2.2), from 1 to 21. */
export function contrast(one: Linear, other: Linear): number {
  const luminance = ([r, g, b]: Linear) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}
