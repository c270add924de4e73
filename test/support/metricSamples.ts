import { prefix } from '../../server/metrics/definitions.js';
import { type AskOptions, ask } from './http.js';

/** Metrics by name and labels without the prefix: `viewers{stream="rooms"}`. */
export type Samples = Readonly<Record<string, number>>;

/** Scrapes a service as Prometheus does. Throws unless the answer is 200. `path` is that of the metrics by default. */
export async function scrape(
  { url }: { url: string },
  { path = '/metrics', ...options }: AskOptions & { path?: string } = {},
): Promise<Samples> {
  const { status, text } = await ask(url + path, options);
  if (status !== 200) throw new Error(`${path} was answered ${status}: ${text}`);
  return samplesOf(text);
}

/** Reads the text format: the samples of the service, without those of the process. */
export function samplesOf(text: string): Samples {
  const lines = text.split('\n').filter((line) => line.startsWith(prefix));
  return Object.fromEntries(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(prefix.length, space), Number(line.slice(space + 1))];
    }),
  );
}
