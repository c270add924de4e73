/**
 * Renders the chart without Helm, with what Helm renders with: Go's text/template and the functions of Sprig.
 * Debian's Caddy has both, in its handler `templates`. Helm's own functions are not there, but for `include`;
 * so the chart does without `toYaml`, `required`, `tpl` and `lookup`.
 */

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { owns } from '../../../support/stage.js';
import { startProxy } from '../../proxies/support/program.js';
import { deployFile, deployPath } from './files.js';

type Values = Record<string, unknown>;

/** What a chart is rendered with. */
export interface Release {
  name?: string;
  values?: Values;
}

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels: Record<string, string> };
  spec?: unknown;
  stringData?: Record<string, string>;
}

/** Starts the renderer. It ends with the test. Rendering rejects with what a template says by `fail`. */
export async function startRenderer() {
  const folder = await mkdtemp(join(tmpdir(), 'chart-'));
  owns(folder, () => rm(folder, { recursive: true }));
  const helpers = await deployFile('chart/templates/_helpers.tpl');
  // Helm's `include` runs a named template; Caddy's runs a file. So each has a file of its name.
  const renamed = helpers.replaceAll('{{- define "', '{{- define "of:');
  for (const [, name = ''] of helpers.matchAll(/\{\{- define "([^"]+)"/g))
    await writeFile(join(folder, name), `${renamed}{{- template "of:${name}" (index .Args 0) -}}`);
  const { url } = await startProxy({
    program: 'caddy',
    file: 'Caddyfile',
    arguments: ({ file }) => ['run', '--config', file, '--adapter', 'caddyfile'],
    configuration: ({ port }) =>
      `{\n\tadmin off\n}\nhttp://127.0.0.1:${port} {\n\troot * ${folder}\n\ttemplates {\n\t\tmime text/html\n\t}\n\tfile_server\n}\n`,
  });
  const chart: Record<string, unknown> = parse(await deployFile('chart/Chart.yaml'));
  const defaults: Values = parse(await deployFile('chart/values.yaml'));

  /** The text of one template. */
  const renderFile = async (file: string, { name = 'test', values = {} }: Release) => {
    const context = {
      Values: merged(defaults, values),
      Chart: { Name: chart.name, Version: chart.version, AppVersion: chart.appVersion },
      Release: { Name: name, Namespace: 'here', Service: 'Helm' },
      Files: { 'rules.yml': await deployFile('chart/rules.yml') },
    };
    const source = await deployFile(`chart/templates/${file}`);
    // Helm's `Files` has a method, which a value of JSON cannot have.
    const template = source.replaceAll('.Files.Get', 'index .Files');
    const json = JSON.stringify(context).replaceAll('`', '\\u0060');
    const page = `{{- define "of:file" -}}${template}{{- end -}}{{- template "of:file" (fromJson \`${json}\`) -}}`;
    await writeFile(join(folder, 'page.html'), page);
    const answer = await fetch(`${url}/page.html`);
    if (!answer.ok) throw new Error(`${file} is not rendered: ${answer.status}`);
    return answer.text();
  };

  /** All manifests of a release. */
  const render = async (release: Release = {}): Promise<Manifest[]> => {
    const files = (await readdir(deployPath('chart/templates'))).filter((it) =>
      it.endsWith('.yaml'),
    );
    const manifests: Manifest[] = [];
    for (const file of files.sort()) {
      const text = await renderFile(file, release);
      if (text.includes('<no value>')) throw new Error(`${file} has a value that is not set`);
      for (const document of parseAllDocuments(text, { uniqueKeys: true, strict: true })) {
        if (document.errors[0]) throw document.errors[0];
        if (document.contents !== null) manifests.push(document.toJS());
      }
    }
    return manifests;
  };
  return { render, renderFile };
}

/** As Helm puts values over defaults: maps are merged, everything else is replaced. */
function merged(defaults: Values, values: Values): Values {
  const both = { ...defaults };
  for (const [key, value] of Object.entries(values)) {
    const old = defaults[key];
    both[key] = isMap(old) && isMap(value) ? merged(old, value) : value;
  }
  return both;
}

const isMap = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
