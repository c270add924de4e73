/** nginx, Apache, HAProxy and Caddy with TLS, as the files in docs/deploy/proxies configure them. */

import { deployFile } from '../../deploy/support/files.js';
import { apacheFrame, nginxFrame } from './frames.js';
import { type RunningProxy, startProxy } from './program.js';

/** What a test puts in place of ports, names and files of the example. */
export interface TlsPlace {
  service: { port: number };
  /** PEM files: certificate, key, and both in one. */
  files: { cert: string; key: string; both: string };
  /** A free port for plain http. */
  plainPort: number;
}

export type StartTlsProxy = (place: TlsPlace) => Promise<RunningProxy>;

/** The file, before this service and with these certificates. `replaced`: what else differs; all must be there. */
async function fileFor(name: string, place: TlsPlace, replaced: Record<string, string>) {
  let text = await deployFile(`proxies/${name}`);
  const all = { ...replaced, '127.0.0.1:8000': `127.0.0.1:${place.service.port}` };
  for (const [from, to] of Object.entries(all)) {
    if (!text.includes(from)) throw new Error(`docs/deploy/proxies/${name} has no '${from}'`);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** nginx with one of its files. */
const startNginxWith = (name: string, replaced: Record<string, string>, place: TlsPlace) => {
  const at = (port: number) =>
    fileFor(name, place, {
      ...replaced,
      'listen 443 ssl': `listen 127.0.0.1:${port} ssl`,
      '/etc/ssl/dash.example.org.crt': place.files.cert,
      '/etc/ssl/dash.example.org.key': place.files.key,
      'dash.example.org': 'localhost',
    });
  return startProxy({
    program: 'nginx',
    file: 'nginx.conf',
    arguments: ({ folder, file }) => ['-e', 'stderr', '-p', folder, '-c', file],
    configuration: async ({ port, folder }) => nginxFrame(folder, await at(port)),
  });
};

const startNginx: StartTlsProxy = (place) =>
  startNginxWith('nginx.conf', { 'listen 80;': `listen 127.0.0.1:${place.plainPort};` }, place);

/** nginx that signs people in. `users`: a file of htpasswd. */
export const startNginxForUsers = (place: TlsPlace, users: string): Promise<RunningProxy> =>
  startNginxWith('nginx-users.conf', { '/etc/nginx/dash.users': users }, place);

// Those of Debian's apache2, and those of `a2enmod` in the file.
const apacheModules = [
  ...['mpm_event', 'authz_core', 'authz_host', 'alias', 'socache_shmcb'],
  ...['ssl', 'headers', 'proxy', 'proxy_http'],
];

const startApache: StartTlsProxy = (place) =>
  startProxy({
    program: 'apache2',
    file: 'apache2.conf',
    arguments: ({ file }) => ['-DFOREGROUND', '-f', file],
    configuration: async ({ port, folder }) =>
      apacheFrame(folder, {
        modules: apacheModules,
        ports: [place.plainPort, port],
        hosts: await fileFor('apache.conf', place, {
          '*:80>': `*:${place.plainPort}>`,
          '*:443>': `*:${port}>`,
          '/etc/ssl/dash.example.org.crt': place.files.cert,
          '/etc/ssl/dash.example.org.key': place.files.key,
          'dash.example.org': 'localhost',
        }),
      }),
  });

const startHaproxy: StartTlsProxy = (place) =>
  startProxy({
    program: 'haproxy',
    file: 'haproxy.cfg',
    arguments: ({ file }) => ['-db', '-f', file],
    configuration: ({ port }) =>
      fileFor('haproxy.cfg', place, {
        'bind :80\n': `bind 127.0.0.1:${place.plainPort}\n`,
        'bind :443': `bind 127.0.0.1:${port}`,
        '/etc/ssl/dash.example.org.pem': place.files.both,
      }),
  });

const startCaddy: StartTlsProxy = (place) =>
  startProxy({
    program: 'caddy',
    file: 'Caddyfile',
    arguments: ({ file }) => ['run', '--config', file, '--adapter', 'caddyfile'],
    // A certificate that exists: Caddy gets one from an authority otherwise.
    configuration: async ({ port }) => {
      const site = await fileFor('Caddyfile', place, {
        'dash.example.org {': `https://localhost:${port} {\n\ttls ${place.files.cert} ${place.files.key}`,
      });
      return `{\n\tadmin off\n\thttp_port ${place.plainPort}\n\thttps_port ${port}\n}\n${site}`;
    },
  });

/** Each with the newest protocol that it speaks with browsers. */
export const tlsProxies: readonly [string, StartTlsProxy, 'HTTP/1.1' | 'HTTP/2'][] = [
  ['nginx', startNginx, 'HTTP/2'],
  ['Apache', startApache, 'HTTP/1.1'],
  ['HAProxy', startHaproxy, 'HTTP/2'],
  ['Caddy', startCaddy, 'HTTP/2'],
];
