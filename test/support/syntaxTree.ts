/** TypeScript as a tree, for tests that are about sources. */

import { parseSync } from '@swc/core';

/** What tests read of a node; a part that a type of node does not have is undefined. */
export interface SyntaxNode {
  type: string;
  value?: unknown;
  operator?: string;
  left?: SyntaxNode;
  right?: SyntaxNode;
  callee?: SyntaxNode;
  arguments?: { expression: SyntaxNode }[];
  object?: SyntaxNode;
  property?: SyntaxNode;
  tag?: SyntaxNode;
  quasis?: { cooked?: string }[];
}

/** Every node of a source. Throws when it is no TypeScript. */
export function* nodesOf(source: string): Generator<SyntaxNode> {
  yield* within(parseSync(source, { syntax: 'typescript', target: 'es2022' }));
}

function* within(value: unknown): Generator<SyntaxNode> {
  if (typeof value !== 'object' || value === null) return;
  if ('type' in value) yield value as SyntaxNode;
  for (const part of Object.values(value)) yield* within(part);
}
