/**
 * The messages of the Stately inspector, as `@statelyai/inspect` makes them; a test compares the two.
 * Made here, because the package takes a timer and the whole snapshot, children and all, for each:
 * docs/decisions/stately-inspector.md.
 */

import type {
  StatelyActorEvent,
  StatelyEventEvent,
  StatelyInspectionEvent,
  StatelySnapshotEvent,
} from '@statelyai/inspect';
import type {
  AnyActorLogic,
  AnyActorRef,
  AnyEventObject,
  InspectedEventEvent,
  InspectedSnapshotEvent,
} from 'xstate';
import { appendJsonField } from '../appendJsonField.js';
import { plainData } from './plainData.js';

/** The version of `@statelyai/inspect` whose messages these are. */
export const protocolVersion = '0.7.2';

/** What XState hands out as a reference is the actor itself. */
export type InspectedActor = AnyActorRef & { logic: AnyActorLogic };

/** What of a snapshot is shown; its children have messages of their own. */
const shown = ['value', 'context', 'input', 'output', 'error'] as const;

function plainSnapshot(snapshot: unknown): StatelyActorEvent['snapshot'] {
  const held = snapshot as Record<string, unknown>;
  const fields = shown.filter((name) => held[name] !== undefined);
  const plain = fields.map((name) => [name, plainData(held[name])]);
  return { status: held.status as 'active', ...Object.fromEntries(plain) };
}

let messages = 0;

function headOf(actor: { sessionId: string }, rootId: string) {
  messages += 1;
  return {
    id: String(messages),
    sessionId: actor.sessionId,
    rootId,
    createdAt: String(Date.now()),
    _version: protocolVersion,
  };
}

const definitions = new WeakMap<object, string>();
/** Definitions as they stand in JSON: a thousand actors have the same, and to quote it anew is dear. */
const quoted = new Map<string, string>();

/** The literal configuration of a machine, as JSON; of other actors no more than the name. */
function definitionOf({ id, logic }: InspectedActor): string {
  const config: unknown = 'config' in logic ? logic.config : undefined;
  if (typeof config !== 'object' || config === null) return JSON.stringify({ id });
  const known = definitions.get(config);
  if (known !== undefined) return known;
  const definition = JSON.stringify(config, (_, value: unknown) =>
    typeof value === 'function' ? { type: value.name } : value,
  );
  definitions.set(config, definition);
  quoted.set(definition, JSON.stringify(definition));
  return definition;
}

/** An actor is announced before it has a state, and must not be asked for one then. */
export const newborn = { status: 'active' };

/** There is this actor, in this state. */
export function actorMessage(
  actor: InspectedActor,
  rootId: string,
  snapshot: unknown = actor.getSnapshot(),
): StatelyActorEvent {
  return {
    ...headOf(actor, rootId),
    type: '@xstate.actor',
    name: actor.id,
    parentId: actor._parent?.sessionId,
    definition: definitionOf(actor),
    snapshot: plainSnapshot(snapshot),
  };
}

/** An actor was sent an event. */
export function eventMessage(event: InspectedEventEvent): StatelyEventEvent {
  return {
    ...headOf(event.actorRef, event.rootId),
    type: '@xstate.event',
    event: plainData(event.event) as AnyEventObject,
    sourceId: event.sourceRef?.sessionId,
  };
}

/** An actor is in this state after an event. */
export function snapshotMessage(event: InspectedSnapshotEvent): StatelySnapshotEvent {
  return {
    ...headOf(event.actorRef, event.rootId),
    type: '@xstate.snapshot',
    event: plainData(event.event) as AnyEventObject,
    snapshot: plainSnapshot(event.snapshot) as StatelySnapshotEvent['snapshot'],
  };
}

/** A message as JSON. */
export function messageJson(message: StatelyInspectionEvent): string {
  if (message.type !== '@xstate.actor') return JSON.stringify(message);
  const { definition = '', ...others } = message;
  const known = quoted.get(definition);
  if (known === undefined) return JSON.stringify(message);
  return appendJsonField(JSON.stringify(others), 'definition', known);
}
