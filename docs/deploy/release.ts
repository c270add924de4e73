/**
 * What the workflow of a release runs, in the folder of the repository:
 * `check v1.2.3` compares the tag with every place that has the version;
 * `pack <folder>` makes the two npm packages, a list of what the service installs (CycloneDX), and the notes.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { parse } from 'yaml';

const read = (path: string): string => readFileSync(path, 'utf8');
const { name, version } = JSON.parse(read('package.json')) as { name: string; version: string };

/** Where the version stands, and what stands there. */
function versions(): Record<string, string | undefined> {
  const chart = parse(read('docs/deploy/chart/Chart.yaml')) as Record<string, string>;
  return {
    'package.json': version,
    'server/agent/package.json': JSON.parse(read('server/agent/package.json')).version,
    'version in Chart.yaml': chart.version,
    'appVersion in Chart.yaml': chart.appVersion,
    'VERSION in the Dockerfile': /^ARG VERSION=(.*)$/m.exec(read('docs/deploy/Dockerfile'))?.[1],
    'CHANGELOG.md': new RegExp(`^## \\[(${version})\\]`, 'm').exec(read('CHANGELOG.md'))?.[1],
  };
}

/** Throws if the tag is not the version everywhere. */
function check(tag: string): void {
  const wrong = Object.entries(versions()).filter(([, found]) => `v${found}` !== tag);
  if (wrong.length === 0) return;
  const places = wrong.map(([place, found]) => `- ${place}: ${found ?? 'none'}`);
  throw new Error(`The tag is ${tag}. These have another version:\n${places.join('\n')}`);
}

/** The entry of this version in the changelog, without its heading. */
function notes(): string {
  const [, ...entries] = read('CHANGELOG.md').split(/^## /m);
  const entry = entries.find((text) => text.startsWith(`[${version}]`)) ?? '';
  return entry.slice(entry.indexOf('\n')).trim();
}

const npm = (...args: string[]): string =>
  execFileSync('npm', args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    stdio: ['ignore', 'pipe', 'inherit'],
  });

interface Lock {
  packages: Record<string, { dev?: boolean; link?: boolean }>;
}

/** What npm installs for those who install the service: no packages for development, and not the agent. */
function productionLock(): Lock {
  const lock = JSON.parse(read('package-lock.json')) as Lock;
  const {
    devDependencies: _,
    workspaces: __,
    ...own
  } = lock.packages[''] as Record<string, unknown>;
  const kept = Object.entries(lock.packages).filter(
    ([path, { dev, link }]) => path.startsWith('node_modules/') && !dev && !link,
  );
  return { ...lock, packages: { '': own, ...Object.fromEntries(kept) } };
}

/**
 * Every package that an installation of the service brings, from the lockfile: those that were tested.
 * `npm sbom --omit=dev` would leave out those that packages for development need too.
 */
function listing(): string {
  const folder = join(mkdtempSync(join(tmpdir(), 'sbom-')), name);
  mkdirSync(folder);
  const { devDependencies: _, workspaces: __, ...manifest } = JSON.parse(read('package.json'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(productionLock()));
  const args = ['--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application'];
  try {
    return npm('sbom', '--prefix', folder, ...args);
  } finally {
    rmSync(dirname(folder), { recursive: true });
  }
}

function pack(folder: string): void {
  mkdirSync(folder, { recursive: true });
  npm('pack', '--pack-destination', folder);
  npm('pack', '--workspace', 'server/agent', '--pack-destination', folder);
  // The agent has no dependencies, so it needs no list.
  writeFileSync(join(folder, `${name}-${version}.cdx.json`), listing());
  writeFileSync(join(folder, 'notes.md'), `${notes()}\n`);
}

const [command, argument] = process.argv.slice(2);
if (command === 'check' && argument) check(argument);
else if (command === 'pack' && argument) pack(argument);
else throw new Error('usage: release check <tag> | release pack <folder>');
