import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import {
  type HistogramMetric,
  histograms,
  prefix,
  type ReadMetric,
  readMetrics,
} from './definitions.js';

/** A value, with its labels if the metric has any. */
export type Reading = readonly [value: number, labels?: Readonly<Record<string, string>>];

/** Reads each metric. No reading: the metric is absent. They must not throw. */
export type Readers = { readonly [Name in ReadMetric['name']]: () => Iterable<Reading> };

/** An answer to a scrape. */
export interface Exposition {
  /** The Content-Type of the text. */
  type: string;
  /** In Prometheus' text format. */
  text: string;
}

/** The metrics of one service, in a registry of its own. */
export class MetricsRegistry {
  readonly #registry = new Registry();
  readonly #histograms = new Map<HistogramMetric['name'], Histogram>();
  #hasDefaults = false;

  constructor(readers: Readers) {
    for (const metric of readMetrics) this.#add(metric, readers[metric.name]);
    for (const { name, help, labels, buckets } of histograms) {
      const config = { name: prefix + name, help, labelNames: labels, buckets: [...buckets] };
      this.#histograms.set(name, new Histogram({ ...config, registers: [this.#registry] }));
    }
  }

  /** Notes a value of a histogram. */
  observe(
    name: HistogramMetric['name'],
    seconds: number,
    labels: Record<string, string> = {},
  ): void {
    this.#histograms.get(name)?.observe(labels, seconds);
  }

  async expose(): Promise<Exposition> {
    this.#addDefaults();
    return { type: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  /** Those of the process. With the first scrape: they watch the event loop and the garbage collector all the time. */
  #addDefaults(): void {
    if (this.#hasDefaults) return;
    this.#hasDefaults = true;
    collectDefaultMetrics({ register: this.#registry });
  }

  #add({ type, name, help, labels }: ReadMetric, read: () => Iterable<Reading>): void {
    const config = {
      name: prefix + name,
      help,
      labelNames: labels as readonly string[],
      registers: [this.#registry],
    };
    if (type === 'counter') {
      const counter: Counter = new Counter({
        ...config,
        collect: () => {
          counter.reset();
          for (const [value, of = {}] of read()) counter.inc(of, value);
        },
      });
      return;
    }
    const gauge: Gauge = new Gauge({
      ...config,
      collect: () => {
        gauge.reset();
        const readings = [...read()];
        // A gauge without labels would be 0.
        if (labels.length === 0 && readings.length === 0) gauge.remove();
        for (const [value, of = {}] of readings) gauge.set(of, value);
      },
    });
  }
}
