import './tree.css';
import { useState } from 'preact/hooks';
import { legible, visible } from '../model/roomNames.js';
import { cutText } from './plainNode.js';
import type { TextRun, TreeNode } from './treeNode.js';

/** Children shown at once, and how many more are shown at a time. */
const firstChildren = 50;
const moreChildren = 200;
/** Characters of a text shown at once, and how many times as many the next time. */
const firstCharacters = 1000;
const moreCharactersFactor = 8;
/** Characters of a key, a tag or a value on one line. */
const maxNameLength = 300;
/** How far a tree is open before anybody opens it, and what is too large for that. */
const openDepth = 3;
const openSize = 25;

/** Values with what is under them, open as far as they are small. */
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
            Show {numberWord(Math.min(left, moreChildren))} more of {numberWord(left)}
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
        {/* Another change is another element: its animation begins anew. */}
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

/** A text is open however long it is: no more than its beginning is shown. */
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
/** What is seen of the value needs no word. */
const tacitKinds = new Set(['string', 'number', 'boolean', 'null', 'undefined', 'bigint']);

function Head({ node: { label, kind, size } }: { node: TreeNode }) {
  const [one = '', many = ''] = (countedKinds[kind] ?? '').split(' ');
  const kindWord = kind === 'unknown' ? 'nothing in it yet' : kind;
  return (
    <>
      {label !== '' && (
        <bdi class={labelClass(label, kind)}>{visible(cutText(label, maxNameLength))}</bdi>
      )}
      {!tacitKinds.has(kind) && kind !== 'element' && <span class="tree-kind">{kindWord}</span>}
      {size !== undefined && one !== '' && (
        <span class="tree-size">
          {numberWord(size)} {size === 1 ? one : many}
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
          Show more: {numberWord(left)} characters are left
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

const numberWord = (number: number) => number.toLocaleString('en');
