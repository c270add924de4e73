import './chart.css';
import { createContext } from 'preact';
import { useContext, useRef, useState } from 'preact/hooks';
import { formatNumber } from '../ui/numbers.js';
import { arrowPath } from './arrow.js';
import type { ChartState, ChartTransition } from './chart.js';
import type { Moves, Occupancy } from './occupancy.js';

/** What the parts of a chart share. */
interface Shown {
  machine: string;
  occupancy: Occupancy;
  /** Number of actors; undefined: a single one, shown without numbers. */
  total: number | undefined;
  moves: Moves;
  /** Grows with every poll, to restart the animations. */
  look: number;
  hasActions: boolean;
  /** Path of the target state of the hovered or focused transition. */
  pointed: string | undefined;
  /** Draws an arrow from an element to a state; without arguments: removes it. */
  point: (from?: HTMLElement, target?: string) => void;
}

const ShownContext = createContext<Shown | undefined>(undefined);

/** A statechart as nested boxes. Regions are side by side, transitions are in their source state. */
export function ChartView({
  chart,
  ...rest
}: Omit<Shown, 'pointed' | 'point'> & { chart: ChartState }) {
  const frame = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState<{ target: string; path: string }>();
  const { machine } = rest;
  const point: Shown['point'] = (from, target) => {
    if (!from || target === undefined) return setPointed(undefined);
    setPointed({ target, path: pathBetween(frame.current, from, stateElement(machine, target)) });
  };
  return (
    <ShownContext.Provider value={{ ...rest, pointed: pointed?.target, point }}>
      <div class="chart" ref={frame}>
        {pointed && <Arrow path={pointed.path} />}
        <Transitions transitions={chart.transitions} title="In every state" />
        <States state={chart} />
      </div>
    </ShownContext.Provider>
  );
}

function useShown(): Shown {
  const shown = useContext(ShownContext);
  if (!shown) throw new Error('This component must be inside a ChartView');
  return shown;
}

/** An arrow from a hovered transition to its target. */
function Arrow({ path }: { path: string }) {
  return (
    <svg class="chart-arrow" aria-hidden="true">
      <defs>
        <marker
          id="chart-arrow-head"
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="7"
          markerHeight="7"
          orient="auto"
        >
          <path d="M 0 0 L 8 4 L 0 8 z" />
        </marker>
      </defs>
      <path d={path} marker-end="url(#chart-arrow-head)" />
    </svg>
  );
}

function pathBetween(frame: HTMLElement | null, from: HTMLElement, to: HTMLElement | null): string {
  if (!frame || !to) return '';
  const origin = frame.getBoundingClientRect();
  const boxOf = (element: HTMLElement) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    return { left: left - origin.left, top: top - origin.top, width, height };
  };
  return arrowPath(boxOf(from), boxOf(to));
}

const stateElement = (machine: string, path: string) =>
  document.getElementById(elementId(machine, path));

const elementId = (machine: string, path: string) => `chart-${machine}-${path}`;

function States({ state: { states, type, key } }: { state: ChartState }) {
  if (states.length === 0) return null;
  return (
    <ul
      class={`chart-states ${type === 'parallel' ? 'is-parallel' : ''}`}
      aria-label={type === 'parallel' ? `Regions of ${key}` : `States of ${key}`}
    >
      {states.map((state) => (
        <State key={state.path} state={state} isRegion={type === 'parallel'} />
      ))}
    </ul>
  );
}

function State({ state, isRegion }: { state: ChartState; isRegion: boolean }) {
  const { machine, occupancy, total, moves, look, pointed } = useShown();
  const { path, key, type, isInitial, description, states, transitions } = state;
  const count = occupancy.get(path) ?? 0;
  const isLit = count > 0;
  const classes = ['chart-state', isRegion ? 'is-region' : 'is-box'];
  if (isLit) classes.push('is-lit');
  if (states.length > 0) classes.push('is-compound');
  if (pointed === path) classes.push('is-pointed');
  return (
    <li
      class={classes.join(' ')}
      id={elementId(machine, path)}
      tabIndex={-1}
      data-state={path}
      style={{ '--heat': `${states.length > 0 ? 0 : heatOf(count, total)}%` }}
    >
      {moves.entered.has(path) && <span key={look} class="chart-flash" aria-hidden="true" />}
      <p class="chart-name">
        {isInitial && (
          <span class="chart-initial" role="img" aria-label="initial state" title="Initial state" />
        )}
        <span aria-current={isLit && !isRegion ? 'true' : undefined}>{key}</span>
        {type === 'final' && <span class="quiet small">final</span>}
        {total !== undefined && isLit && !isRegion && (
          <span class="chart-count">
            {formatNumber(count)}
            <span class="visually-hidden"> here now</span>
          </span>
        )}
      </p>
      {description && <p class="small quiet">{description}</p>}
      <StateActions state={state} />
      <Transitions transitions={transitions} />
      <States state={state} />
    </li>
  );
}

/** The highlight in percent; visible even for one actor of a thousand. */
function heatOf(count: number, total: number | undefined): number {
  if (count === 0) return 0;
  return total === undefined ? 9 : 3 + (6 * count) / Math.max(total, count);
}

function StateActions({ state: { entry, exit, invokes } }: { state: ChartState }) {
  const { hasActions } = useShown();
  const lines = [
    ['invokes', invokes],
    ['entry', entry],
    ['exit', exit],
  ] as const;
  if (!hasActions) return null;
  return (
    <>
      {lines.map(
        ([word, names]) =>
          names.length > 0 && (
            <p key={word} class="chart-doing">
              <span class="quiet">{word} </span>
              {names.join(', ')}
            </p>
          ),
      )}
    </>
  );
}

function Transitions(props: { transitions: readonly ChartTransition[]; title?: string }) {
  const { transitions, title } = props;
  const { hasActions } = useShown();
  const shown = hasActions ? transitions : transitions.filter(({ targets }) => targets.length > 0);
  if (shown.length === 0) return null;
  return (
    <>
      {title && <p class="small quiet">{title}</p>}
      <ul class="chart-transitions" aria-label="Transitions">
        {shown.map((transition) => (
          <TransitionLine key={transition.key} transition={transition} />
        ))}
      </ul>
    </>
  );
}

function TransitionLine({ transition }: { transition: ChartTransition }) {
  const { hasActions, moves, look } = useShown();
  const { key, cause, kind, guard, targets, actions } = transition;
  return (
    <li class={`chart-transition is-${kind}`}>
      {moves.taken.has(key) && <span key={look} class="chart-flash" aria-hidden="true" />}
      <span class="chart-cause">{cause}</span>
      {targets.map((target) => (
        <Target key={target} transition={transition} target={target} />
      ))}
      {guard !== undefined && <span class="chart-guard">[{guard}]</span>}
      {hasActions && actions.length > 0 && <span class="chart-doing">/ {actions.join(', ')}</span>}
    </li>
  );
}

function Target({ transition, target }: { transition: ChartTransition; target: string }) {
  const { machine, point } = useShown();
  const goThere = () => {
    const element = stateElement(machine, target);
    element?.scrollIntoView({ block: 'nearest' });
    element?.focus();
  };
  const show = ({ currentTarget }: { currentTarget: HTMLElement }) => point(currentTarget, target);
  const hide = () => point();
  const isSelf = target === transition.source;
  return (
    <span class="chart-target">
      <span aria-hidden="true">{isSelf ? '↺' : '→'} </span>
      <button
        type="button"
        onClick={goThere}
        onMouseEnter={show}
        onMouseLeave={hide}
        onFocus={show}
        onBlur={hide}
      >
        <span class="visually-hidden">goes to </span>
        {target.split('.').at(-1)}
      </button>
    </span>
  );
}
