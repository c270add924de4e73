/** What changed lately: the number of the change, which tells two of them apart. */
export type ChangeNumber = number;

/** Characters of a text that share their formatting and their age, or something embedded in it. */
export interface TextRun {
  readonly key: string;
  readonly text: string;
  /** Names of formats, such as `bold`. */
  readonly formats: readonly string[];
  /** The change that brought it, while that is recent. */
  readonly change?: ChangeNumber | undefined;
  readonly embedded?: TreeNode;
}

/** A value as a tree shows it. What is under it is made when it is looked at, and no more than is shown. */
export interface TreeNode {
  /** Tells it from its siblings, and stays with it when they move. */
  readonly key: string;
  /** Its key, its index, or its tag; empty: none. */
  readonly label: string;
  /** `map`, `text`, `number`, ... */
  readonly kind: string;
  /** Children, or characters. */
  readonly size?: number;
  /** A value without anything under it, as it is shown. */
  readonly scalar?: string;
  /** The change that brought it, while that is recent. */
  readonly change?: ChangeNumber | undefined;
  /** The change that last touched it itself, or something in it. */
  readonly touched?: { readonly change: ChangeNumber; readonly isInside: boolean } | undefined;
  readonly children?: (limit: number) => readonly TreeNode[];
  readonly runs?: (limit: number) => readonly TextRun[];
}
