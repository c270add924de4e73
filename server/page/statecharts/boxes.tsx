import './boxes.css';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { formatNumber } from '../ui/numbers.js';
import type { ChartState, ChartTransition } from './chart.js';
import type { Occupancy } from './occupancy.js';
import type { Shown as Moves } from './useMoves.js';

/** What the parts of a chart share. */
interface Shown {
  machine: string;
  occupancy: Occupancy;
  /** Number of actors; undefined: a single one, shown without numbers. */
  total: number | undefined;
  moves: Moves;
  hasActions: boolean;
  /** Without links and focus: the chart is drawn, and this is for screen readers. */
  isHidden: boolean;
}

const ShownContext = createContext<Shown | undefined>(undefined);

/** A statechart as nested lists, drawn as boxes. Each state has its transitions. */
export function Boxes({ chart, ...shown }: Shown & { chart: ChartState }) {
  return (
    <ShownContext.Provider value={shown}>
      <div class="chart">
        <Transitions transitions={chart.transitions} title="In every state" />
        <States state={chart} />
      </div>
    </ShownContext.Provider>
  );
}

function useShown(): Shown {
  const shown = useContext(ShownContext);
  if (!shown) throw new Error('This component must be inside of Boxes');
  return shown;
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
  const { machine, occupancy, total, moves, isHidden } = useShown();
  const { path, key, type, isInitial, description, states, transitions } = state;
  const count = occupancy.get(path) ?? 0;
  const isLit = count > 0;
  const classes = ['chart-state', isRegion ? 'is-region' : 'is-box'];
  if (isLit) classes.push('is-lit');
  if (states.length > 0) classes.push('is-compound');
  return (
    <li
      class={classes.join(' ')}
      id={elementId(machine, path)}
      tabIndex={isHidden ? undefined : -1}
      data-state={path}
      style={{ '--heat': `${states.length > 0 ? 0 : heatOf(count, total)}%` }}
    >
      {moves.entered.has(path) && !isHidden && (
        <span key={moves.look} class="chart-flash" aria-hidden="true" />
      )}
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
  const { hasActions, moves, isHidden } = useShown();
  const { key, cause, kind, guard, targets, actions } = transition;
  return (
    <li class={`chart-transition is-${kind}`}>
      {moves.taken.has(key) && !isHidden && (
        <span key={moves.taken.get(key)} class="chart-flash" aria-hidden="true" />
      )}
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
  const { machine, isHidden } = useShown();
  const goThere = () => {
    const element = stateElement(machine, target);
    element?.scrollIntoView({ block: 'nearest' });
    element?.focus();
  };
  const isSelf = target === transition.source;
  const words = (
    <>
      <span class="visually-hidden">goes to </span>
      {target.split('.').at(-1)}
    </>
  );
  return (
    <span class="chart-target">
      <span aria-hidden="true">{isSelf ? '↺' : '→'} </span>
      {isHidden ? (
        words
      ) : (
        <button type="button" onClick={goThere}>
          {words}
        </button>
      )}
    </span>
  );
}
