import { Session } from 'node:inspector';

const session = new Session();
session.connect();

/** What Node's types leave out of the protocol. */
interface Properties {
  privateProperties?: { name: string; value?: { objectId?: string } }[];
}

/** The global object that the inspector evaluates in: in a test it is not that of the test. */
const inspected = Session.constructor('return globalThis')() as Record<string, unknown>;
const slot = 'inspectedBySimulation';

/**
 * What a private field (`#name`) of an object holds, by V8's inspector: memory can be measured without
 * accessors that only tests would use. Costs 0.1 ms: keep what it answers as long as the field does.
 */
export function privateState<T extends object>(owner: object, name: `#${string}`): T {
  inspected[slot] = owner;
  let found: unknown;
  session.post('Runtime.evaluate', { expression: slot, objectGroup: slot }, (_, { result }) => {
    const objectId = result.objectId ?? '';
    session.post('Runtime.getProperties', { objectId, ownProperties: true }, (_, properties) => {
      const field = (properties as Properties).privateProperties?.find(
        (each) => each.name === name,
      );
      const { objectId: fieldId } = field?.value ?? {};
      if (fieldId === undefined) return;
      const functionDeclaration = `function () { globalThis.${slot} = this; }`;
      session.post('Runtime.callFunctionOn', { objectId: fieldId, functionDeclaration }, () => {
        found = inspected[slot];
      });
    });
  });
  session.post('Runtime.releaseObjectGroup', { objectGroup: slot });
  delete inspected[slot];
  if (typeof found !== 'object' || found === null)
    throw new Error(`there is no private object ${name}`);
  return found as T;
}
