import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The least that a list of so many rows can do: a name and a number, and only the rows in sight are there. */
const pageOf = (rows: number) => `<!doctype html>
<meta charset="utf-8" />
<style>
  #list { height: 100vh; overflow-y: auto; position: relative; }
  #list p { position: absolute; margin: 0; line-height: 36px; width: 100%; display: flex; justify-content: space-between; }
</style>
<div id="list"><div id="rows"></div></div>
<script>
  const count = ${rows}, height = 36;
  const list = document.getElementById('list'), body = document.getElementById('rows');
  body.style.height = count * height + 'px';
  let drawn = '';
  function draw() {
    const first = Math.max(0, Math.floor(list.scrollTop / height) - 24);
    const last = Math.min(count, Math.ceil((list.scrollTop + list.clientHeight) / height) + 24);
    if (drawn === first + ' ' + last) return;
    drawn = first + ' ' + last;
    let html = '';
    for (let i = first; i < last; i++)
      html += '<p style="top:' + i * height + 'px"><a href="#' + i + '">room-' + i + '</a><span>' + i % 7 + '</span></p>';
    body.innerHTML = html;
  }
  list.addEventListener('scroll', draw, { passive: true });
  draw();
</script>`;

/** Serves a bare list, and returns its URL and how to end it. */
export async function startPlainList(rows: number): Promise<{ url: string; stop: () => void }> {
  const server = createServer((_req, res) => {
    res.setHeader('Content-Type', 'text/html');
    res.end(pageOf(rows));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
