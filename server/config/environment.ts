/** The environment as people and platforms really write it: what is read of a variable, and what is odd about it. */

/** Variables by name, as `process.env` has them. */
export type Environment = Record<string, string | undefined>;

/** A variable as it is read. */
export interface Given {
  /** Undefined: the variable counts as unset. */
  text: string | undefined;
  /** What was done to the value, as the end of a sentence about it; undefined: nothing worth a word. */
  oddity?: string;
}

/** `PUBSUB_PORT=tcp://10.0.0.7:8001`: Kubernetes and Docker set such variables for a service called `pubsub`. */
const serviceLink = /^(tcp|udp|sctp):\/\/\S*:\d+$/i;
const quoted = /^(["'])(.*)\1$/s;

/**
 * Reads a variable. White space around a value is dropped: files with Windows line ends leave a `\r`.
 * So are quotes, which `docker run --env-file` pass on as they stand.
 */
export function readVariable(env: Environment, name: string): Given {
  const written = env[name]?.trim() ?? '';
  const unquoted = quoted.exec(written)?.[2]?.trim();
  const text = unquoted ?? written;
  if (serviceLink.test(text)) {
    return {
      text: undefined,
      oddity: `is a link to a service, as Kubernetes and Docker set it: it is ignored. Set ${name} itself, or turn such links off (enableServiceLinks: false)`,
    };
  }
  if (unquoted === undefined) return { text: text || undefined };
  return { text: text || undefined, oddity: 'has quotes around it: they are left out' };
}
