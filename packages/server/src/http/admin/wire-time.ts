import type { EpochMs } from "@claude-relay/contract";

/** A time as the admin API tells it: `2026-11-21T03:07:00.000Z`. */
export const wireTime = (time: EpochMs): string => new Date(time).toISOString();

export const wireTimeOrNull = (time: EpochMs | null): string | null =>
  time === null ? null : wireTime(time);
