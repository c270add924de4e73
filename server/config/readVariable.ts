/** Reads environment variables as people and platforms really write them. */

/** Variables by name, like `process.env`. */
export type Environment = Record<string, string | undefined>;

/** The value of a variable. */
export interface VariableValue {
  /** Undefined: the variable counts as unset. */
  text: string | undefined;
  /** What is wrong with the value, as the end of a sentence: "NAME is ..., which". Undefined: nothing. */
  warning?: string;
}

/** `PUBSUB_PORT=tcp://10.0.0.7:8001`: Kubernetes and Docker set this for a service called `pubsub`. */
const serviceLink = /^(tcp|udp|sctp):\/\/\S*:\d+$/i;
const quoted = /^(["'])(.*)\1$/s;
const looseQuote = /^["'\u2018-\u201f]|["'\u2018-\u201f]$/;

/**
 * Reads a variable without the white space and quotes around it. Files with Windows line ends leave a
 * `\r`, and `docker run --env-file` keeps quotes.
 */
export function readVariable(env: Environment, name: string): VariableValue {
  const written = env[name]?.trim() ?? '';
  const unquoted = quoted.exec(written)?.[2]?.trim();
  const text = unquoted ?? written;
  if (serviceLink.test(text)) {
    return {
      text: undefined,
      warning: `is a service link of Kubernetes or Docker, and is ignored. Set ${name} yourself, or turn off service links (enableServiceLinks: false)`,
    };
  }
  if (unquoted === undefined) return { text: text || undefined, ...looseQuoteOf(text) };
  return { text: text || undefined, warning: 'is quoted; the quotes are removed' };
}

const looseQuoteOf = (text: string) =>
  looseQuote.test(text)
    ? { warning: 'begins or ends with a quote; the quote is kept as a part of it' }
    : {};
