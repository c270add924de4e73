/** Why a document's request was refused; the caller decides by this, never by the message. */
export type DocumentErrorCode =
  /** The bytes are not a Yjs update (v1), or one that no document can hold. The document is as before. */
  | 'bad_update'
  /** Too many bytes wait for this room: count it as dropped, fetch the whole state later. */
  | 'backlog'
  /** The room is over its limit of bytes: there is no document, and no JSON. */
  | 'too_large'
  /** The request took too long; the thread was ended and with it every document. */
  | 'deadline'
  /** The thread ended, or this document was given up, before the answer: fetch and merge again. */
  | 'lost'
  /** This room's own request ended the thread: it is refused for a while, see `RoomRefusals`. */
  | 'too_heavy'
  | 'closed';

/** A refusal that says by its code what to do next. */
export class DocumentError extends Error {
  override readonly name: string = 'DocumentError';
  readonly code: DocumentErrorCode;

  constructor(code: DocumentErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Bytes that are no Yjs update. Nothing was applied. */
export class BadUpdate extends DocumentError {
  override readonly name: string = 'BadUpdate';
  /** Whether Yjs may take it, and break when it integrates it later. */
  readonly isUnsafe: boolean;

  constructor(
    message: string,
    { isUnsafe = false, ...options }: ErrorOptions & { isUnsafe?: boolean } = {},
  ) {
    super('bad_update', message, options);
    this.isUnsafe = isUnsafe;
  }
}

/** The error of a code that came over a thread's border. */
export function toDocumentError(code: DocumentErrorCode, message: string): DocumentError {
  return code === 'bad_update' ? new BadUpdate(message) : new DocumentError(code, message);
}
