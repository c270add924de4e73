import { readFile } from 'node:fs/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { readConfig } from '../../../server/config/config.js';
import { variables } from '../../../server/config/variables.js';
import { deployFile } from './support/files.js';
import { type Manifest, startRenderer } from './support/helm.js';
import { problemsOf } from './support/kubernetes.js';

const root = new URL('../../../', import.meta.url);
const dockerfile = await deployFile('Dockerfile');
const openapi = parse(await readFile(new URL('docs/openapi.yaml', root), 'utf8'));
const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8'));

const token = { DASHBOARD_TOKEN: 'a-token-that-nobody-guesses' };
const shared = { CLUSTER_URL: 'redis://redis:6379', CLUSTER_SECRET: 'a-secret-of-all-instances' };
const names = variables.map(({ name }) => name as string);

const one = { secret: token, env: { PUBSUB_DNS: 'pubsub.default.svc.cluster.local' } };
const cluster = { secret: { ...token, ...shared }, cluster: { enabled: true } };
const everything = {
  ...cluster,
  secret: { ...cluster.secret, METRICS_TOKEN: 'a-token-of-the-scraper' },
  env: { LOG_LEVEL: 'debug', MAX_VIEWERS: '1000000', INSPECT: true },
  image: { digest: `sha256:${'0'.repeat(64)}`, pullSecrets: [{ name: 'registry' }] },
  autoscaling: { enabled: true },
  ingress: { enabled: true, className: 'nginx', tlsSecret: 'tls', annotations: { a: 'b' } },
  networkPolicy: {
    from: [{ namespaceSelector: {} }],
    egress: [{ ports: [{ port: 53, protocol: 'UDP' }] }],
  },
  service: { annotations: { a: 'b' } },
  podAnnotations: { a: 'b' },
  podLabels: { team: 'docs' },
  nodeSelector: { disk: 'ssd' },
  tolerations: [{ key: 'a', operator: 'Exists' }],
  affinity: { nodeAffinity: {} },
  topologySpreadConstraints: [
    { maxSkew: 2, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} },
  ],
  priorityClassName: 'high',
  serviceAccount: { annotations: { role: 'reader' } },
  metrics: {
    serviceMonitor: { enabled: true, fleet: true, labels: { release: 'prometheus' } },
    prometheusRule: { enabled: true, labels: { release: 'prometheus' } },
  },
};
const releases = {
  'one instance': one,
  'one instance with a volume': { ...one, persistence: { enabled: true, storageClass: 'fast' } },
  'one instance in a trusted network': { env: { AUTH: 'none' } },
  'a cluster': cluster,
  'a secret of its own': { existingSecret: 'mine', cluster: { enabled: true } },
  everything,
};

let renderer: Awaited<ReturnType<typeof startRenderer>>;
beforeEach(async () => {
  renderer = await startRenderer();
});

const render = (values: Record<string, unknown>) => renderer.render({ values });
// biome-ignore lint/suspicious/noExplicitAny: manifests are held against their schemas
type Any = any;
const the = (manifests: Manifest[], kind: string): Any =>
  manifests.find((manifest) => manifest.kind === kind);
const containerOf = (manifests: Manifest[]) =>
  the(manifests, 'Deployment').spec.template.spec.containers[0];

/** The environment of a container, with what the Dockerfile sets. */
function environmentOf(manifests: Manifest[], secret: Record<string, string>) {
  const { env } = containerOf(manifests);
  const own = env.map((it: Any) => [it.name, it.value?.replace('$(POD_IP)', '10.0.0.9')]);
  const [, image = ''] = /^ENV (.*)$/m.exec(dockerfile) ?? [];
  const ofImage = image.split(' ').map((assignment) => assignment.split('='));
  return { ...Object.fromEntries(ofImage), ...secret, ...Object.fromEntries(own) };
}

describe.each(Object.entries(releases))('the chart for %s', (_, values) => {
  test('has manifests that the schemas of Kubernetes accept, without unknown fields', async () => {
    const manifests = await render(values);
    for (const manifest of manifests)
      expect([manifest.kind, problemsOf(manifest)]).toEqual([manifest.kind, []]);
    expect(the(manifests, 'Deployment').spec.template.spec.enableServiceLinks).toBe(false);
  });

  test('selects its own pods with everything that selects pods', async () => {
    const manifests = await render(values);
    const { labels } = the(manifests, 'Deployment').spec.template.metadata;
    const selectors = manifests.flatMap(({ kind, spec }: Any) => {
      if (kind === 'Service') return [spec.selector];
      if (kind === 'ServiceMonitor') return [];
      return [spec?.selector?.matchLabels, spec?.podSelector?.matchLabels].filter(Boolean);
    });
    expect(selectors.length).toBeGreaterThanOrEqual(3);
    for (const selector of selectors) {
      expect(Object.keys(selector).length).toBeGreaterThan(0);
      expect(labels).toMatchObject(selector);
    }
  });
});

test('a misspelt field, a missing one and a wrong type are found', async () => {
  const manifests = await render(one);
  const deployment = the(manifests, 'Deployment');
  const { spec } = deployment.spec.template;
  spec.enableServicLinks = false;
  spec.containers[0].livenessProbe.httpGet.path = 5;
  delete spec.containers[0].name;
  const found = problemsOf(deployment).join('\n');
  for (const part of ['/enableServicLinks is not known', '/httpGet/path', '"name"'])
    expect(found).toContain(part);
  expect(problemsOf({ ...the(manifests, 'Secret'), stringDate: {} })).toEqual([
    '/stringDate is not known',
  ]);
});

test.each(['one', 'cluster', 'everything'] as const)(
  'the service accepts the variables of the chart: %s',
  async (name) => {
    const values = { one, cluster, everything }[name];
    const manifests = await render(values);
    const env = environmentOf(manifests, the(manifests, 'Secret').stringData);
    const others = ['NODE_ENV', 'POD_IP'];
    expect(Object.keys(env).filter((it) => !others.includes(it) && !names.includes(it))).toEqual(
      [],
    );
    expect(() => readConfig(env)).not.toThrow();
  },
);

test('ports, probes, user and volume are those of the service and its image', async () => {
  const manifests = await render(cluster);
  const container = containerOf(manifests);
  const { securityContext } = the(manifests, 'Deployment').spec.template.spec;
  const probes = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((it) => container[it]);
  for (const { httpGet } of probes) {
    expect(openapi.paths).toHaveProperty([httpGet.path, 'get']);
    expect(httpGet.port).toBe('http');
  }
  expect(dockerfile).toContain(`EXPOSE ${container.ports[0].containerPort}\n`);
  expect(dockerfile).toContain(`VOLUME ${container.volumeMounts[0].mountPath}\n`);
  expect(dockerfile).toContain(`USER ${securityContext.runAsUser}:${securityContext.runAsGroup}\n`);
  expect(container.image).toBe(`pubsub-dashboard:${version}`);
});

test('one instance is replaced by stopping it first, instances of a cluster one by one', async () => {
  const alone = await render(one);
  expect(the(alone, 'Deployment').spec).toMatchObject({
    replicas: 1,
    strategy: { type: 'Recreate' },
  });
  expect(the(alone, 'PodDisruptionBudget')).toBeUndefined();
  const several = await render(cluster);
  expect(the(several, 'Deployment').spec).toMatchObject({
    replicas: 3,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
  });
  expect(the(several, 'PodDisruptionBudget').spec.maxUnavailable).toBe(1);
  const scaled = await render(everything);
  expect(the(scaled, 'Deployment').spec).not.toHaveProperty('replicas');
  const target = the(scaled, 'HorizontalPodAutoscaler').spec.scaleTargetRef;
  expect(target.name).toBe(the(scaled, 'Deployment').metadata.name);
});

test('the alerts are those of rules.yml, and only if asked for', async () => {
  const rule = the(await render(everything), 'PrometheusRule');
  expect(rule.spec).toEqual(parse(await deployFile('chart/rules.yml')));
  expect(rule.metadata.labels).toMatchObject({ release: 'prometheus' });
  expect(the(await render(one), 'PrometheusRule')).toBeUndefined();
});

test('secrets are in the Secret alone', async () => {
  const manifests = await render(cluster);
  expect(the(manifests, 'Secret').stringData).toEqual({ ...token, ...shared });
  const others = JSON.stringify(manifests.filter(({ kind }) => kind !== 'Secret'));
  for (const value of [token.DASHBOARD_TOKEN, shared.CLUSTER_SECRET])
    expect(others).not.toContain(value);
  expect(the(await render({ existingSecret: 'mine' }), 'Secret')).toBeUndefined();
});

test.each([
  ['no token', {}, one],
  ['a cluster without a Redis', { ...cluster, secret: token }, cluster],
  ['autoscaling of one instance', { ...one, autoscaling: { enabled: true } }, everything],
  ['a volume for a cluster', { ...cluster, persistence: { enabled: true } }, cluster],
  ['a number that YAML may change', { ...one, env: { MAX_VIEWERS: 1e6 } }, one],
  ['another port', { ...one, env: { PORT: '80' } }, one],
])('the chart refuses %s', async (_, bad, good) => {
  await expect(render(bad)).rejects.toThrow('deployment.yaml is not rendered');
  await render(good);
});

test('the schema of the values takes all of the above, and no misspelt setting', async () => {
  const schema = JSON.parse(await deployFile('chart/values.schema.json'));
  const validate = new Ajv({ allowUnionTypes: true }).compile(schema);
  const defaults = parse(await deployFile('chart/values.yaml'));
  for (const values of [defaults, ...Object.values(releases)])
    expect([validate(values), validate.errors]).toEqual([true, null]);
  for (const bad of [{ env: { pubsub_dns: 'a' } }, { secret: { TOKEN: '' } }, { replicas: 3 }])
    expect(validate(bad)).toBe(false);
  expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(Object.keys(defaults)));
});

test('the chart has the version of the service, and notes with its address', async () => {
  const chart = parse(await deployFile('chart/Chart.yaml'));
  expect([chart.version, chart.appVersion]).toEqual([version, version]);
  const notes = await renderer.renderFile('NOTES.txt', { values: one });
  expect(notes).toContain('service/test-pubsub-dashboard 8000:8000');
});
