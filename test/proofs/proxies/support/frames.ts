/** What stands around a tested part of a configuration, so that a program runs in a folder of its own. */

const isRoot = process.getuid?.() === 0;

/** `http`: what stands in the block `http` of nginx. */
export const nginxFrame = (folder: string, http: string): string => `
      ${isRoot ? 'user root;' : ''}
      daemon off;
      worker_processes 1;
      pid ${folder}/nginx.pid;
      error_log stderr;
      events {}
      http {
        access_log off;
        ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join('\n')}
        ${http}
      }`;

/** `hosts`: the `VirtualHost` blocks of Apache. */
export const apacheFrame = (
  folder: string,
  {
    modules,
    ports,
    hosts,
  }: { modules: readonly string[]; ports: readonly number[]; hosts: string },
): string => `
      ${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
      ServerRoot ${folder}
      DefaultRuntimeDir ${folder}
      PidFile ${folder}/apache2.pid
      ErrorLog ${folder}/error.log
      ServerName localhost
      ${isRoot ? 'User www-data\nGroup www-data' : ''}
      StartServers 1
      ${ports.map((port) => `Listen 127.0.0.1:${port}`).join('\n')}
      ${hosts}
      `;
