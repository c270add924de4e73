/** Why a request about a document failed. Callers decide by this code, never by the message. */
export type DocumentErrorCode =
  /** The bytes are no Yjs update (v1), or one that no document can hold. The document is unchanged. */
  | 'bad_update'
  /** Too many bytes wait for this room. Count the update as dropped and fetch the whole state later. */
  | 'backlog'
  /** The room is over its size limit: it has no document and no JSON. */
  | 'too_large'
  /** The request took too long. The thread was terminated, and every document with it. */
  | 'deadline'
  /** The thread ended or this document was discarded before the answer. Fetch and merge again. */
  | 'lost'
  /** A request of this room ended the thread. The room is refused for a while: see `RoomRefusals`. */
  | 'too_heavy'
  | 'closed';

/** A request about a document that failed. */
export class DocumentError extends Error {
  override readonly name: string = 'DocumentError';
  readonly code: DocumentErrorCode;

  constructor(code: DocumentErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The bytes are no Yjs update. Nothing was applied. */
export class BadUpdate extends DocumentError {
  override readonly name: string = 'BadUpdate';
  /** Whether Yjs may accept it and fail when it integrates it later. */
  readonly isUnsafe: boolean;

  constructor(
    message: string,
    { isUnsafe = false, ...options }: ErrorOptions & { isUnsafe?: boolean } = {},
  ) {
    super('bad_update', message, options);
    this.isUnsafe = isUnsafe;
  }
}

/** Rebuilds an error that a thread posted as a code and a message. */
export function toDocumentError(code: DocumentErrorCode, message: string): DocumentError {
  return code === 'bad_update' ? new BadUpdate(message) : new DocumentError(code, message);
}
