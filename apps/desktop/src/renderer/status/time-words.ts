const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** How long a wait is: `12 s`, `3 min`, `5 h`, `2 days`. Rounded up: it is never shorter than said. */
export const waitWords = (milliseconds: number): string => {
  if (milliseconds <= 90 * second) {
    return `${Math.max(0, Math.ceil(milliseconds / second))} s`;
  }
  if (milliseconds <= 90 * minute) {
    return `${Math.ceil(milliseconds / minute)} min`;
  }
  if (milliseconds <= 36 * hour) {
    return `${Math.ceil(milliseconds / hour)} h`;
  }
  return `${Math.ceil(milliseconds / day)} days`;
};

/** A moment as a clock on the wall shows it: `14:05`, or with its day when that is not today. */
export const momentWords = (at: number, now: number, locale?: string): string => {
  const clock = { hour: "2-digit", minute: "2-digit" } as const;
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  return new Intl.DateTimeFormat(
    locale,
    isToday ? clock : { weekday: "short", day: "numeric", month: "short", ...clock },
  ).format(at);
};

/** When something happens, for a person: `in 5 h (14:05)`. */
export const whenWords = (at: number, now: number, locale?: string): string =>
  at <= now ? "now" : `in ${waitWords(at - now)} (${momentWords(at, now, locale)})`;

/** Under which heading a conversation stands. */
export const ageGroup = (at: number, now: number): string => {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  if (at >= midnight) {
    return "Today";
  }
  // Noon of the day before: no change of clocks moves that to another day.
  const yesterday = new Date(midnight - day / 2).setHours(0, 0, 0, 0);
  if (at >= yesterday) {
    return "Yesterday";
  }
  if (at >= midnight - 7 * day) {
    return "Last 7 days";
  }
  return at >= midnight - 30 * day ? "Last 30 days" : "Older";
};
