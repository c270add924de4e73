import type { Member } from '../../machines/roster.js';
import type { SimulatedService } from './simulatedService.js';

/** A server is set right no sooner than that after the last time. */
export const correctionIntervalMs = 2000;

/** Whether evidence against a server waits for the time when it may be set right again. */
export function isEvidencePausing({ context }: SimulatedService, { server, ref }: Member): boolean {
  const actor = ref.getSnapshot();
  if (!actor.matches({ evidence: 'cooling' })) return false;
  const isFound = actor.matches({ evidence: { cooling: { recurrence: 'found' } } });
  return isFound || context.tally.isDoubtful(server);
}

/** The same, of evidence that has come again and again: it waits ever longer. */
export function isRecurrencePausing(service: SimulatedService, member: Member): boolean {
  return member.ref.getSnapshot().context.recurrences > 0 && isEvidencePausing(service, member);
}
