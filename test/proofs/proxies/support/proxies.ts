/** nginx, Apache, HAProxy and Caddy as docs/proxies.md configures them, or otherwise. `tlsProxies.ts` has the files of docs/deploy. */

import { readFile } from 'node:fs/promises';
import { apacheFrame, nginxFrame } from './frames.js';
import { type RunningProxy, startProxy } from './program.js';

const page = await readFile(new URL('../../../../docs/proxies.md', import.meta.url), 'utf8');

/** The example of docs/proxies.md for one proxy, by the language of its block. */
export function exampleFor(language: string): string {
  const [, example] = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(page) ?? [];
  if (example === undefined) throw new Error(`docs/proxies.md has no example for ${language}`);
  return example;
}

/** An example that leads to this service instead of the one at port 8000. */
const leadingTo = (example: string, service: { port: number }) =>
  example.replaceAll('127.0.0.1:8000', `127.0.0.1:${service.port}`);

/** What a service is to a proxy. */
export interface Behind {
  port: number;
}

/** Starts a proxy before a service. */
export type StartProxy = (service: Behind, example?: string) => Promise<RunningProxy>;

/** `example`: what stands in a `server`. */
export const startNginx: StartProxy = (service, example = exampleFor('nginx')) =>
  startProxy({
    program: 'nginx',
    file: 'nginx.conf',
    arguments: ({ folder, file }) => ['-e', 'stderr', '-p', folder, '-c', file],
    configuration: ({ port, folder }) =>
      nginxFrame(
        folder,
        `server {
          listen 127.0.0.1:${port};
          ${leadingTo(example, service)}
        }`,
      ),
  });

const apacheModules = ['mpm_event', 'authz_core', 'alias', 'headers', 'proxy', 'proxy_http'];

/** `example`: what stands in a `VirtualHost`. */
export const startApache: StartProxy = (service, example = exampleFor('apache')) =>
  startProxy({
    program: 'apache2',
    file: 'apache2.conf',
    arguments: ({ file }) => ['-DFOREGROUND', '-f', file],
    configuration: ({ port, folder }) =>
      apacheFrame(folder, {
        modules: apacheModules,
        ports: [port],
        hosts: `<VirtualHost *:${port}>
        ${leadingTo(example, service)}
      </VirtualHost>`,
      }),
  });

/** `example`: a frontend that listens on port 80 or 8080, and its backend. */
export const startHaproxy: StartProxy = (service, example = exampleFor('haproxy')) =>
  startProxy({
    program: 'haproxy',
    file: 'haproxy.cfg',
    arguments: ({ file }) => ['-db', '-f', file],
    // The timeouts are those of Debian's haproxy.cfg.
    configuration: ({ port }) => `
defaults
  timeout connect 5000
  timeout client 50000
  timeout server 50000
${leadingTo(example, service).replace(/bind :(80)?80$/m, `bind 127.0.0.1:${port}`)}`,
  });

/** `example`: a site of the name `example.org`. */
export const startCaddy: StartProxy = (service, example = exampleFor('caddy')) =>
  startProxy({
    program: 'caddy',
    file: 'Caddyfile',
    arguments: ({ file }) => ['run', '--config', file, '--adapter', 'caddyfile'],
    configuration: ({ port }) => `
{
  admin off
}
${leadingTo(example, service).replace('example.org', `http://:${port}`)}`,
  });
