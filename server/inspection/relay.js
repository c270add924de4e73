/**
 * Script of the page `/inspect`. It passes the messages of `/inspect/events` on to the Stately inspector in the
 * frame, as `createBrowserInspector` of `@statelyai/inspect` would.
 */

const inspectorUrl = 'https://stately.ai/inspect';
const inspectorOrigin = new URL(inspectorUrl).origin;

const frame = document.querySelector('iframe');
const form = document.querySelector('form');
const status = document.querySelector('output');
const all = document.querySelector('input');

let events;
let sent = 0;

function show(text) {
  status.textContent = text;
}

/** Starts over whenever the inspector does, because the stream starts with every actor. */
function relay() {
  events?.close();
  sent = 0;
  events = new EventSource(`inspect/events${all.checked ? '?events=all' : ''}`);
  events.onmessage = ({ data }) => {
    frame.contentWindow.postMessage(JSON.parse(data), inspectorOrigin);
    sent += 1;
    show(`Connected: ${sent} messages sent.`);
  };
  events.onerror = () => {
    const isOver = events.readyState === EventSource.CLOSED;
    show(isOver ? 'Refused. Reload this page.' : 'Connection lost. Reconnecting …');
  };
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  form.hidden = true;
  frame.hidden = false;
  show(`Waiting for ${inspectorUrl} …`);
  frame.src = inspectorUrl;
});

window.addEventListener('message', ({ data, origin, source }) => {
  if (origin !== inspectorOrigin || source !== frame.contentWindow) return;
  if (data?.type === '@statelyai.connected') relay();
});
window.addEventListener('pagehide', () => events?.close());
