/** Loaded before the service. Lets a test set `Date`; the monotonic clock stays unchanged. */

const SystemDate = Date;
let aheadMs = 0;
const now = () => SystemDate.now() + aheadMs;

globalThis.Date = new Proxy(SystemDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: () => new SystemDate(now()).toString(),
  get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
});

process.on('message', ({ setClockMs }: { setClockMs?: number }) => {
  if (setClockMs === undefined) return;
  aheadMs = setClockMs;
  process.send?.({ type: 'answer', value: Date.now() });
});
