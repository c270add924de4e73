/** Milliseconds. */
export const hourMs = 3_600_000;

/** How long ago, in the largest unit that fits: `now`, `4 s`, `3 min`, `2 h`, `5 d`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 1) return 'now';
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}

/** The same with `ago`: `now`, `4 s ago`. */
export const ago = (ms: number) => (ms < 1000 ? 'now' : `${age(ms)} ago`);

const clock = new Intl.DateTimeFormat([], { timeStyle: 'medium', hourCycle: 'h23' });

const whole = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'medium',
});

/** `30 Nov 2026, 14:03:59`, in the time zone of the browser. */
export const wholeTime = (ms: number): string => whole.format(ms);

/** `30 Nov 2026, 14:03:59 – 14:05:00`: the date once if it is the same. */
export const timeSpan = (fromMs: number, toMs: number): string => whole.formatRange(fromMs, toMs);

/** `14:03:59`, in the time zone of the browser. */
export const clockTime = (ms: number): string => clock.format(ms);

const dayClock = new Intl.DateTimeFormat([], {
  weekday: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

/** `14:03:59` for today, else `Sun 14:03:59`, in the time zone of the browser. */
export function dayTime(ms: number, nowMs = Date.now()): string {
  const isToday = new Date(ms).toDateString() === new Date(nowMs).toDateString();
  return isToday ? clockTime(ms) : dayClock.format(ms);
}

const minutes = new Intl.DateTimeFormat([], { timeStyle: 'short', hourCycle: 'h23' });

/** `14:03`, in the time zone of the browser. */
export const clockMinutes = (ms: number): string => minutes.format(ms);
