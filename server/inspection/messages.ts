/**
 * Messages for the Stately inspector, equal to those of `@statelyai/inspect`; a test compares them. They are made
 * here because the package needs a timer and the whole snapshot with its children for each message:
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

/** The version of `@statelyai/inspect` with these messages. */
export const protocolVersion = '0.7.2';

/** A reference from XState is the actor itself. */
export type InspectedActor = AnyActorRef & { logic: AnyActorLogic };

/** The fields of a snapshot that are sent. Children have messages of their own. */
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
/** Definitions as JSON strings. A thousand actors share one, and quoting it each time is expensive. */
const quoted = new Map<string, string>();

/** The configuration of a machine as JSON; for other actors only the name. */
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

/** The snapshot of a new actor. It must not be asked for its own before it has started. */
export const unstarted = { status: 'active' };

/** An actor in a state. */
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

/** An event that an actor received. */
export function eventMessage(event: InspectedEventEvent): StatelyEventEvent {
  return {
    ...headOf(event.actorRef, event.rootId),
    type: '@xstate.event',
    event: plainData(event.event) as AnyEventObject,
    sourceId: event.sourceRef?.sessionId,
  };
}

/** The state of an actor after an event. */
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
