import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Place } from './layout.js';

/** Below this, text cannot be read: then a chart is scrolled, until somebody asks for all of it. */
const leastReadable = 0.75;
const [minZoom, maxZoom] = [0.2, 2];
const step = 1.25;
/** Around the drawing, for outlines. */
const margin = 8;

const clamped = (zoom: number) => Math.min(maxZoom, Math.max(minZoom, zoom));

/** A drawing that is zoomed, and moved by dragging, scrolling and arrow keys. */
export function Viewport(props: {
  label: string;
  width: number;
  height: number;
  /** What is in sight at first. */
  start: Place | undefined;
  children: ComponentChildren;
}) {
  const { label, start, children } = props;
  const [width, height] = [props.width + 2 * margin, props.height + 2 * margin];
  const frame = useRef<HTMLDivElement>(null);
  const room = useRoom(frame);
  const [chosen, setChosen] = useState<number>();
  const fit = room === undefined ? 1 : Math.min(1, room / width);
  const zoom = chosen ?? Math.max(leastReadable, fit);
  useKeptCenter(frame, zoom);
  // After it: the first known width changes the zoom too.
  useStart(frame, { start, zoom, isReady: room !== undefined });
  const zoomBy = (factor: number) => setChosen(clamped(zoom * factor));
  const keys: Readonly<Record<string, () => void>> = {
    '+': () => zoomBy(step),
    '-': () => zoomBy(1 / step),
    '0': () => setChosen(clamped(fit)),
  };
  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    keys[event.key]?.();
  };
  useWheelZoom(frame, zoomBy);
  return (
    <div class="viewport">
      <div class="viewport-tools">
        <Tool label="Zoom out" text="−" isOff={zoom <= minZoom} run={() => zoomBy(1 / step)} />
        <span class="small quiet viewport-zoom">{Math.round(zoom * 100)} %</span>
        <Tool label="Zoom in" text="+" isOff={zoom >= maxZoom} run={() => zoomBy(step)} />
        <Tool
          label="Fit the width"
          text="Fit"
          isOff={zoom === fit}
          run={() => setChosen(clamped(fit))}
        />
      </div>
      <section
        ref={frame}
        class="viewport-frame"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys scroll it
        tabIndex={0}
        aria-label={`${label}. A list of the same is below.`}
        onKeyDown={press}
        onPointerDown={(event) => drag(event)}
      >
        <svg
          aria-hidden="true"
          width={width * zoom}
          height={height * zoom}
          viewBox={`${-margin} ${-margin} ${width} ${height}`}
        >
          {children}
        </svg>
      </section>
    </div>
  );
}

function Tool(props: { label: string; text: string; isOff: boolean; run: () => void }) {
  const { label, text, isOff, run } = props;
  return (
    <button
      type="button"
      class="button bare"
      aria-label={label}
      title={label}
      aria-disabled={isOff}
      onClick={() => !isOff && run()}
    >
      {text}
    </button>
  );
}

/** The width of an element in pixels, when it is known. */
function useRoom(frame: { readonly current: HTMLElement | null }): number | undefined {
  const [room, setRoom] = useState<number>();
  useLayoutEffect(() => {
    const { current } = frame;
    if (!current) return undefined;
    const measure = () => setRoom(current.clientWidth);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return room;
}

/** Scrolls to a place once, if it is out of sight. */
function useStart(
  frame: { readonly current: HTMLElement | null },
  { start, zoom, isReady }: { start: Place | undefined; zoom: number; isReady: boolean },
): void {
  const isDone = useRef(false);
  useLayoutEffect(() => {
    const { current } = frame;
    if (!current || !start || !isReady || isDone.current) return;
    isDone.current = true;
    const { clientWidth, clientHeight } = current;
    const [left, top, width, height] = start.map((pixels) => pixels * zoom) as unknown as Place;
    if (left + width > clientWidth) current.scrollLeft = left + width / 2 - clientWidth / 2;
    if (top + height > clientHeight) current.scrollTop = top + height / 2 - clientHeight / 2;
  });
}

/** Keeps what is in the middle there when the zoom changes. */
function useKeptCenter(frame: { readonly current: HTMLElement | null }, zoom: number): void {
  const before = useRef(zoom);
  useLayoutEffect(() => {
    const { current } = frame;
    const ratio = zoom / before.current;
    before.current = zoom;
    if (!current || ratio === 1) return;
    const { clientWidth, clientHeight, scrollLeft, scrollTop } = current;
    current.scrollLeft = (scrollLeft + clientWidth / 2) * ratio - clientWidth / 2;
    current.scrollTop = (scrollTop + clientHeight / 2) * ratio - clientHeight / 2;
  }, [zoom]);
}

/** Ctrl with the wheel, which is also what a pinch on a touchpad sends. */
function useWheelZoom(
  frame: { readonly current: HTMLElement | null },
  zoomBy: (factor: number) => void,
): void {
  const latest = useRef(zoomBy);
  latest.current = zoomBy;
  useEffect(() => {
    const { current } = frame;
    const turn = (event: WheelEvent) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      latest.current(Math.exp(-event.deltaY / 300));
    };
    // Not passive: else the browser zooms the whole page.
    current?.addEventListener('wheel', turn, { passive: false });
    return () => current?.removeEventListener('wheel', turn);
  }, []);
}

/** Moves the drawing with the mouse. Fingers scroll it by themselves. */
function drag(event: PointerEvent & { currentTarget: HTMLElement }): void {
  const { currentTarget: frame, pointerType, button, pointerId } = event;
  if (pointerType !== 'mouse' || button !== 0) return;
  let { clientX, clientY } = event;
  const move = (to: PointerEvent) => {
    frame.scrollBy(clientX - to.clientX, clientY - to.clientY);
    ({ clientX, clientY } = to);
  };
  frame.setPointerCapture(pointerId);
  frame.addEventListener('pointermove', move);
  frame.addEventListener(
    'lostpointercapture',
    () => frame.removeEventListener('pointermove', move),
    { once: true },
  );
}
