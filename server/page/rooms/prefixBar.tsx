import { useRef } from 'preact/hooks';
import { roomIndex } from '../model/fleet.js';
import { type PrefixCount, type PrefixCounts, stepsOf } from '../model/prefixCounts.js';
import { visible } from '../model/roomNames.js';
import { formatNumber } from '../ui/numbers.js';
import { change } from './listedRooms.js';

const maxShown = 24;
/** The order stays for so long, so that nothing moves under the mouse. */
const orderMs = 10_000;

/** The prefix that the list is narrowed to, and the next ones with their counts. */
export function PrefixBar({ prefix }: { prefix: string }) {
  const { prefixes } = roomIndex;
  const { top, restRooms, restPrefixes } = prefixes?.top(maxShown) ?? none;
  const shown = useCalmOrder(prefixes, top);
  const rest = restWords(restRooms, restPrefixes, top.length);
  return (
    <div class="prefix-bar">
      <Steps prefix={prefix} />
      {prefixes && (
        <ul class="row prefixes" aria-label="Next part of the name">
          {shown.map((group) => (
            <li key={group.prefix}>
              <Prefix group={group} from={prefix} />
            </li>
          ))}
          {rest && <li class="quiet small">{rest}</li>}
        </ul>
      )}
    </div>
  );
}

const none = { top: [], restRooms: 0, restPrefixes: 0 };

function restWords(rooms: number, prefixes: number, shown: number): string {
  if (roomIndex.isSearching) return 'Counting …';
  if (rooms === 0) return '';
  const count = `${formatNumber(rooms)} ${rooms === 1 ? 'room' : 'rooms'}`;
  if (prefixes > 0) return `${count} in ${formatNumber(prefixes)} more, or without one`;
  return shown === 0 ? 'No name has another part after / : or .' : `${count} without one`;
}

/** The way back to shorter prefixes. */
function Steps({ prefix }: { prefix: string }) {
  if (prefix === '') return null;
  const steps = stepsOf(prefix);
  return (
    <nav aria-label="Prefix">
      <ol class="row prefix-steps">
        <li>
          <button type="button" class="button bare" onClick={() => change({ prefix: '' }, 'push')}>
            All
          </button>
        </li>
        {steps.map((step, i) => (
          <li key={step}>
            <button
              type="button"
              class="button bare"
              {...(i === steps.length - 1 && { 'aria-current': 'true' })}
              onClick={() => change({ prefix: step }, 'push')}
            >
              <bdi class="cut">{visible(step.slice(steps[i - 1]?.length ?? 0))}</bdi>
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}

function Prefix({ group, from }: { group: PrefixCount; from: string }) {
  const { prefix, rooms, connections } = group;
  return (
    <button
      type="button"
      class="button prefix"
      data-prefix={prefix}
      title={`${visible(prefix)}: ${formatNumber(rooms)} rooms, ${formatNumber(connections)} connections`}
      onClick={() => change({ prefix }, 'push')}
    >
      <bdi class="cut">{visible(prefix.slice(from.length))}</bdi>
      <span class="quiet small">{formatNumber(rooms)}</span>
    </button>
  );
}

/** Present counts in the order of some seconds ago. New prefixes come last. */
function useCalmOrder(counts: PrefixCounts | undefined, top: readonly PrefixCount[]) {
  const order = useRef<Order>({ of: undefined, isWhole: false, atMs: 0, names: [] });
  const { of, isWhole, atMs } = order.current;
  const nowMs = performance.now();
  if (of !== counts || !isWhole || nowMs - atMs > orderMs)
    order.current = {
      of: counts,
      isWhole: !roomIndex.isSearching,
      atMs: nowMs,
      names: top.map(({ prefix }) => prefix),
    };
  const { names } = order.current;
  names.push(...top.map(({ prefix }) => prefix).filter((prefix) => !names.includes(prefix)));
  return names.slice(0, maxShown).flatMap((prefix) => counts?.of(prefix) ?? []);
}

interface Order {
  of: PrefixCounts | undefined;
  /** Every room was counted. */
  isWhole: boolean;
  atMs: number;
  names: string[];
}
