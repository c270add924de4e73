import { createHash } from 'node:crypto';

const style = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; }
  form, output { padding: 1rem; max-width: 42rem; }
  output { display: block; padding-block: 0.25rem; font-size: 0.875rem; }
  button { font: inherit; padding: 0.5rem 1rem; }
  iframe { flex: 1; border: 0; }
  [hidden] { display: none; }
`;

/** The page `/inspect`. It says which data goes to another site, and loads nothing from there before a click. */
export const inspectPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Inspector · pubsub-dashboard</title>
<style>${style}</style>
</head>
<body>
<form>
<h1>The statecharts, live</h1>
<p>The Stately inspector is a page of <strong>stately.ai</strong>. When you open it, it is loaded into a
frame of this page. While this page is open, your browser sends it:</p>
<ul>
<li>the statecharts of this service,</li>
<li>the names of its actors, which contain the <strong>addresses of pub-sub servers</strong> and the
<strong>names of watched rooms</strong>,</li>
<li>their states, the events that they receive, and the numbers in their contexts.</li>
</ul>
<p>It never sends tokens or the contents of documents. What stately.ai does with the data is up to
stately.ai. <a href="api/machines">api/machines</a> shows the same statecharts and states without it.</p>
<p><label><input type="checkbox"> Include every opened and closed connection, with the <strong>name of its room</strong> (many events)</label></p>
<p><button>Open the Stately inspector</button></p>
</form>
<output></output>
<iframe title="Stately inspector" hidden referrerpolicy="no-referrer"
sandbox="allow-scripts allow-same-origin allow-forms allow-popups allow-downloads"></iframe>
<script type="module" src="inspect/relay.js"></script>
</body>
</html>
`;

const styleHash = createHash('sha256').update(style).digest('base64');

/** Content-Security-Policy (W3C, level 3) of that page, the only one that may show another site in a frame. */
export const inspectPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  `style-src 'sha256-${styleHash}'`,
  "connect-src 'self'",
  'frame-src https://stately.ai',
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
