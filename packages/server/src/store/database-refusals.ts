import { Refusal } from "../pipeline/refusal.ts";
import { reason } from "./faults.ts";

/** @param remedy what the operator should do, as the end of a sentence */
export const databaseAway = (error: unknown, remedy: string): Refusal =>
  new Refusal(
    "storage_unavailable",
    `The relay's database is not available (${reason(error)}). Try again shortly; the operator should ${remedy}.`,
    { retryAfterSeconds: 5 },
  );

export const reportTooLong = (): Refusal =>
  new Refusal(
    "storage_unavailable",
    "The relay's database took too long over this report. Name a shorter span, or ask for less.",
    { retryAfterSeconds: 5 },
  );

export const databaseBusy = (): Refusal =>
  new Refusal(
    "storage_unavailable",
    "The relay's database is busy with something else. Try again shortly.",
    { retryAfterSeconds: 5 },
  );
