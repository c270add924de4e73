import './tree.css';
import { useState } from 'preact/hooks';
import { legible, visible } from '../model/roomNames.js';
import { formatNumber } from '../ui/numbers.js';
import { cutText } from './plainNode.js';
import type { TextRun, TreeNode } from './treeNode.js';

/** Children shown initially, and added by each click. */
const firstChildren = 50;
const moreChildren = 200;
/** Characters shown initially, and the factor for each click. */
const firstCharacters = 1000;
const moreCharactersFactor = 8;
/** Maximum characters of a key, a tag or a value on one line. */
const maxNameLength = 300;
/** Branches down to this depth, and up to this size, are open initially. */
const openDepth = 3;
const openSize = 25;

/** A tree of values. Small branches are open. */
export function Tree({ nodes, label }: { nodes: readonly TreeNode[]; label: string }) {
  return (
    <section class="tree" aria-label={label}>
      <Siblings nodes={(limit) => nodes.slice(0, limit)} size={nodes.length} depth={0} />
    </section>
  );
}

function Siblings(props: {
  nodes: (limit: number) => readonly TreeNode[];
  size: number;
  depth: number;
}) {
  const { nodes, size, depth } = props;
  const [limit, setLimit] = useState(firstChildren);
  const left = size - limit;
  return (
    <ul>
      {nodes(limit).map((node) => (
        <Row key={node.key} node={node} depth={depth} isOnly={size === 1} />
      ))}
      {left > 0 && (
        <li>
          <button type="button" class="tree-more" onClick={() => setLimit(limit + moreChildren)}>
            Show {formatNumber(Math.min(left, moreChildren))} more of {formatNumber(left)}
          </button>
        </li>
      )}
    </ul>
  );
}

function Row({ node, depth, isOnly }: { node: TreeNode; depth: number; isOnly: boolean }) {
  const isBranch = (node.children ?? node.runs) !== undefined && node.size !== 0;
  const [isOpen, setIsOpen] = useState(depth < openDepth && (isOnly || isSmall(node)));
  const { change, touched } = node;
  const isTouched = touched && (!touched.isInside || !isOpen);
  const flash = change ?? (isTouched ? touched.change : undefined);
  return (
    <li class="tree-row">
      <div class="tree-line">
        {/* A new key restarts the animation for each change. */}
        {flash !== undefined && (
          <span
            key={flash}
            class={`tree-flash ${change === undefined ? 'is-touched' : 'is-new'}`}
            aria-hidden="true"
          />
        )}
        {isBranch ? (
          <button
            type="button"
            class="tree-toggle"
            aria-expanded={isOpen}
            onClick={() => setIsOpen(!isOpen)}
          >
            <Head node={node} />
          </button>
        ) : (
          <span class="tree-leaf">
            <Head node={node} />
          </span>
        )}
        {node.scalar !== undefined && (
          <span class={`tree-value of-${node.kind}`} dir="auto">
            {visible(cutText(node.scalar, maxNameLength))}
          </span>
        )}
      </div>
      {isBranch && isOpen && <Inside node={node} depth={depth + 1} />}
    </li>
  );
}

/** Texts are always open, because only their beginning is shown. */
const isSmall = ({ runs, size = 0 }: TreeNode) => runs !== undefined || size <= openSize;

const index = /^\d+$/;

const countedKinds: Record<string, string> = {
  map: 'entry entries',
  object: 'entry entries',
  array: 'item items',
  list: 'item items',
  text: 'character characters',
  string: 'character characters',
  xml: 'node nodes',
  element: 'node nodes',
  binary: 'byte bytes',
};
/** Kinds that are obvious from the value. */
const tacitKinds = new Set(['string', 'number', 'boolean', 'null', 'undefined', 'bigint']);

function Head({ node: { label, kind, size } }: { node: TreeNode }) {
  const [one = '', many = ''] = (countedKinds[kind] ?? '').split(' ');
  const kindWord = kind === 'unknown' ? 'empty' : kind;
  return (
    <>
      {label !== '' && (
        <bdi class={labelClass(label, kind)}>{visible(cutText(label, maxNameLength))}</bdi>
      )}
      {!tacitKinds.has(kind) && kind !== 'element' && <span class="tree-kind">{kindWord}</span>}
      {size !== undefined && one !== '' && (
        <span class="tree-size">
          {formatNumber(size)} {size === 1 ? one : many}
        </span>
      )}
    </>
  );
}

function labelClass(label: string, kind: string): string {
  if (kind === 'element') return 'tree-tag';
  return index.test(label) ? 'tree-index' : 'tree-label';
}

function Inside({ node: { children, runs, size = 0 }, depth }: { node: TreeNode; depth: number }) {
  if (runs) return <Text runs={runs} size={size} />;
  if (children) return <Siblings nodes={children} size={size} depth={depth} />;
  return null;
}

function Text({ runs, size }: { runs: (limit: number) => readonly TextRun[]; size: number }) {
  const [limit, setLimit] = useState(firstCharacters);
  const left = size - limit;
  return (
    <div class="tree-text">
      <p dir="auto">
        {runs(limit).map((run) => (
          <Run key={run.key} run={run} />
        ))}
        {left > 0 && ' …'}
      </p>
      {left > 0 && (
        <button
          type="button"
          class="tree-more"
          onClick={() => setLimit(limit * moreCharactersFactor)}
        >
          Show more ({formatNumber(left)} characters left)
        </button>
      )}
    </div>
  );
}

const markedFormats = new Set(['bold', 'italic', 'underline', 'strike', 'code', 'link']);

function Run({ run: { text, formats, change, embedded } }: { run: TextRun }) {
  if (embedded) {
    return (
      <span class="tree-embedded">
        <Siblings nodes={() => [embedded]} size={1} depth={openDepth} />
      </span>
    );
  }
  const marks = formats.map((format) => format.split(':', 1)[0] ?? '');
  const classes = marks.filter((mark) => markedFormats.has(mark)).map((mark) => `is-${mark}`);
  if (change !== undefined) classes.push('is-new');
  if (classes.length < marks.length) classes.push('is-formatted');
  if (classes.length === 0 && formats.length === 0) return <>{legible(text)}</>;
  return (
    <span class={classes.join(' ')} title={visible(formats.join(', ')) || undefined}>
      {legible(text)}
    </span>
  );
}
