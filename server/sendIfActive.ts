/** Sends an event to an actor, unless it has stopped: at shutdown it stops before the last connection has closed. */
export function sendIfActive<E>(
  actor: { getSnapshot(): { status: string }; send(event: E): void },
  event: NoInfer<E>,
): void {
  if (actor.getSnapshot().status === 'active') actor.send(event);
}
