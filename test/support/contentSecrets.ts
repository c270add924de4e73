import type { Editor } from '../../server/demo/editors.js';
import type { Asked } from './everyRoute.js';

/** What somebody who must not see content may not find anywhere. */
export const secrets = {
  document: 'secret-of-document',
  rootType: 'secret-root-type',
  update: 'secret-of-update',
  person: 'secret-of-person',
};

/** Writes the secrets of a document. */
export function writeSecrets({ doc, text }: Editor): void {
  doc.getMap(secrets.rootType).set('key', secrets.document);
  text.insert(0, secrets.document);
}

/** The secrets in an answer, as they are or in base64. The numbers of Yjs clients are secrets too. */
export function secretsIn(body: Buffer, clients: readonly number[]): string[] {
  const text = body.toString('latin1');
  const runs = text.match(/[\w+/-]{12,}={0,2}/g) ?? [];
  const readings = [text, ...runs.map((run) => Buffer.from(run, 'base64').toString('latin1'))];
  const wanted = [...Object.values(secrets), ...clients.map(String)];
  return wanted.filter((secret) => readings.some((reading) => reading.includes(secret)));
}

/** Which operations have shown which secrets so far, by name. */
export function shownBy(
  answers: readonly Asked[],
  editors: readonly Editor[],
): Record<string, string[]> {
  const clients = editors.map(({ doc }) => doc.clientID);
  const shown = answers
    .map(({ operationId, body }) => [operationId, secretsIn(body(), clients)] as const)
    .filter(([, found]) => found.length > 0);
  return Object.fromEntries(shown);
}
