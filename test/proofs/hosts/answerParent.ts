import type { HostAnswer, HostRequest } from './hostProcess.js';

/** What the parent may ask a host process, by name. */
export type Answers = Record<string, (...parameters: never[]) => unknown>;

/** In a host process: says that it listens, and answers the parent. The parent keeps it alive no longer. */
export function answerParent(ready: object, answers: Answers): void {
  process.on('message', (request: HostRequest) => {
    void answer(request, answers).then(send);
  });
  send({ id: 0, result: ready });
}

/** Says why the process could not start. */
export function failParent(cause: unknown): void {
  send({ id: 0, error: describe(cause) });
  process.exitCode = 1;
  if (process.connected) process.disconnect();
}

async function answer({ id, ask, parameters }: HostRequest, answers: Answers): Promise<HostAnswer> {
  try {
    const known = answers[ask];
    if (!known) throw new Error('there is no such function');
    return { id, result: (await known(...(parameters as never[]))) ?? null };
  } catch (cause) {
    return { id, error: describe(cause) };
  }
}

const describe = (cause: unknown): string =>
  cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);

function send(message: HostAnswer): void {
  if (process.connected) process.send?.(message, () => undefined);
}
