/**
 * The script of the page `/inspect`: passes the messages of `/inspect/events` on to the Stately
 * inspector in the frame, as `createBrowserInspector` of `@statelyai/inspect` would.
 */

const inspectorUrl = 'https://stately.ai/inspect';
const inspectorOrigin = new URL(inspectorUrl).origin;

const frame = document.querySelector('iframe');
const form = document.querySelector('form');
const status = document.querySelector('output');
const all = document.querySelector('input');

let events;
let passedOn = 0;

function say(text) {
  status.textContent = text;
}

/** Begins anew whenever the inspector does: the stream starts with every actor. */
function relay() {
  events?.close();
  passedOn = 0;
  events = new EventSource(`inspect/events${all.checked ? '?events=all' : ''}`);
  events.onmessage = ({ data }) => {
    frame.contentWindow.postMessage(JSON.parse(data), inspectorOrigin);
    passedOn += 1;
    say(`Connected: ${passedOn} messages passed on.`);
  };
  events.onerror = () => {
    const isOver = events.readyState === EventSource.CLOSED;
    say(isOver ? 'Refused: reload this page.' : 'The stream was cut; it is being opened again.');
  };
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  form.hidden = true;
  frame.hidden = false;
  say(`Waiting for ${inspectorUrl} …`);
  frame.src = inspectorUrl;
});

window.addEventListener('message', ({ data, origin, source }) => {
  if (origin !== inspectorOrigin || source !== frame.contentWindow) return;
  if (data?.type === '@statelyai.connected') relay();
});
window.addEventListener('pagehide', () => events?.close());
