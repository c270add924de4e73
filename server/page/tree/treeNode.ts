/** Identifies a recent change. */
export type ChangeNumber = number;

/** Characters with the same formatting and the same change, or an embedded value. */
export interface TextRun {
  readonly key: string;
  readonly text: string;
  /** Names of formats, such as `bold`. */
  readonly formats: readonly string[];
  /** The change that brought it, while that is recent. */
  readonly change?: ChangeNumber | undefined;
  readonly embedded?: TreeNode;
}

/** A value in a tree. Children are created on demand, as many as are shown. */
export interface TreeNode {
  /** Unique among siblings, and stable when they move. */
  readonly key: string;
  /** Its key, its index, or its tag; empty: none. */
  readonly label: string;
  /** `map`, `text`, `number`, ... */
  readonly kind: string;
  /** Children, or characters. */
  readonly size?: number;
  /** The displayed value of a leaf. */
  readonly scalar?: string;
  /** The change that brought it, while that is recent. */
  readonly change?: ChangeNumber | undefined;
  /** The last recent change of the value itself, or of something inside. */
  readonly touched?: { readonly change: ChangeNumber; readonly isInside: boolean } | undefined;
  readonly children?: (limit: number) => readonly TreeNode[];
  readonly runs?: (limit: number) => readonly TextRun[];
}
