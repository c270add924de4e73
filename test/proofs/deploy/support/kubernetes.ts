/** Holds manifests against the schemas of Kubernetes and of the Prometheus Operator. */

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Manifest } from './helm.js';

const require = createRequire(import.meta.url);
// What the packages export are classes, which copy what they check.
const modules = fileURLToPath(new URL('../../../../node_modules/', import.meta.url));

interface Validate {
  (data: unknown): boolean;
  errors?: { instancePath: string; message?: string; keyword: string; params: unknown }[] | null;
}

const schemas: Record<string, string> = {
  'apps/v1 Deployment': 'IoK8sApiAppsV1Deployment',
  'v1 Service': 'IoK8sApiCoreV1Service',
  'v1 ServiceAccount': 'IoK8sApiCoreV1ServiceAccount',
  'v1 Secret': 'IoK8sApiCoreV1Secret',
  'v1 PersistentVolumeClaim': 'IoK8sApiCoreV1PersistentVolumeClaim',
  'policy/v1 PodDisruptionBudget': 'IoK8sApiPolicyV1PodDisruptionBudget',
  'autoscaling/v2 HorizontalPodAutoscaler': 'IoK8sApiAutoscalingV2HorizontalPodAutoscaler',
  'networking.k8s.io/v1 NetworkPolicy': 'IoK8sApiNetworkingV1NetworkPolicy',
  'networking.k8s.io/v1 Ingress': 'IoK8sApiNetworkingV1Ingress',
  'monitoring.coreos.com/v1 ServiceMonitor': 'MonitoringCoreosComV1ServiceMonitor',
  'monitoring.coreos.com/v1 PrometheusRule': 'MonitoringCoreosComV1PrometheusRule',
};

/** What is wrong with a manifest: what its schema says, and fields that the schema does not know. */
export function problemsOf(manifest: Manifest): string[] {
  const { apiVersion, kind } = manifest;
  const name = schemas[`${apiVersion} ${kind}`];
  if (name === undefined) return [`no schema for ${apiVersion} ${kind}`];
  const owner = apiVersion.startsWith('monitoring')
    ? '@kubernetes-models/prometheus-operator'
    : 'kubernetes-models';
  const { validate }: { validate: Validate } = require(`${modules}${owner}/_schemas/${name}.js`);
  const read = new Set<string>();
  const isValid = validate(recording(manifest, '', read));
  const errors = isValid ? [] : (validate.errors ?? []).map((error) => JSON.stringify(error));
  const unknown = pathsOf(manifest, '').filter((path) => !read.has(path));
  return [...errors, ...unknown.map((path) => `${path} is not known`)];
}

/** The same object, which notes every field that is read: the schemas read all that they know. */
function recording<T>(value: T, path: string, read: Set<string>): T {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get: (target, key) => {
      const inside: unknown = Reflect.get(target, key);
      if (typeof key === 'symbol' || !Object.hasOwn(target, key)) return inside;
      read.add(`${path}/${key}`);
      return recording(inside, `${path}/${key}`, read);
    },
  }) as T;
}

/** Every field and item, by its path. */
function pathsOf(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inside]) => [
    `${path}/${key}`,
    ...pathsOf(inside, `${path}/${key}`),
  ]);
}
