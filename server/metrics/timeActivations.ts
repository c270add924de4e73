import type { ActivationActor } from '../../machines/activationMachine.js';

/** Measures every activation from now on: until each server has answered or failed. One that nobody waits for is left out. */
export function timeActivations(actor: ActivationActor, observe: (seconds: number) => void): void {
  let startedAtMs: number | undefined;
  actor.subscribe({
    next: (snapshot) => {
      if (snapshot.value === 'activating') {
        startedAtMs ??= performance.now();
        return;
      }
      if (startedAtMs === undefined) return;
      if (snapshot.matches({ active: 'watched' }))
        observe((performance.now() - startedAtMs) / 1000);
      startedAtMs = undefined;
    },
    // The instance's machine fails with it.
    error: () => {},
  });
}
