const format = new Intl.NumberFormat('en');
const compactFormat = new Intl.NumberFormat('en', { notation: 'compact' });

/** A number with separators: `12,345`. */
export const formatNumber = (value: number): string => format.format(value);

/** A number in compact form: `12K`. */
export const formatCompact = (value: number): string => compactFormat.format(value);

const mebibyte = 1024 * 1024;

/** Bytes in MiB, rounded. */
export const toMebibytes = (bytes: number): number => Math.round(bytes / mebibyte);

/** `1 server`, `2 servers`. */
export const countWord = (count: number, one: string): string =>
  `${formatNumber(count)} ${one}${count === 1 ? '' : 's'}`;
