/** A real Prometheus that reads a running service, with the files of docs/deploy. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startProxy } from '../../proxies/support/program.js';
import { deployFile } from './files.js';

/** One series of an answer: its labels and its value. */
export interface Series {
  metric: Record<string, string>;
  value: [number, string];
}

export interface Alert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  state: 'pending' | 'firing';
}

interface PrometheusNeeds {
  /** Where the service listens. */
  url: string;
  token: string;
  /** Each scrape counts as a viewer. */
  fleet?: boolean;
}

/** Asks for metrics every second instead of every 15, so that tests need not wait. */
function configurationFor(text: string, { url, fleet = false }: PrometheusNeeds): string {
  const replaced = text
    .replace('scrape_interval: 15s', 'scrape_interval: 1s')
    .replace('127.0.0.1:8000', new URL(url).host)
    .replace('# params:', fleet ? 'params:' : '# params:');
  return `global: { evaluation_interval: 1s }\n${replaced}`;
}

/** Starts a Prometheus. Its alerts fire as soon as their condition is true. It ends with the test. */
export async function startPrometheus(needs: PrometheusNeeds) {
  const rules = (await deployFile('chart/rules.yml')).replaceAll(/^( +for): \w+$/gm, '$1: 0s');
  const { url } = await startProxy({
    program: 'prometheus',
    file: 'prometheus.yml',
    configuration: async ({ folder }) => {
      await writeFile(join(folder, 'rules.yml'), rules);
      await writeFile(join(folder, 'token'), needs.token);
      return configurationFor(await deployFile('prometheus/prometheus.yml'), needs);
    },
    arguments: ({ folder, file, port }) => [
      `--config.file=${file}`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
  });
  const get = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`${url}${path}`);
    const { status, data, error } = (await answer.json()) as Record<string, unknown>;
    if (status !== 'success') throw new Error(`${path}: ${error}`);
    return data as T;
  };
  return {
    /** Throws if the query is not valid. */
    query: async (expr: string): Promise<Series[]> =>
      (await get<{ result: Series[] }>(`/api/v1/query?query=${encodeURIComponent(expr)}`)).result,
    alerts: async (): Promise<Alert[]> => (await get<{ alerts: Alert[] }>('/api/v1/alerts')).alerts,
  };
}
