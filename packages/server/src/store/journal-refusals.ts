import { Refusal } from "../pipeline/refusal.ts";

/** The disk said no to a group of lines. */
export const unwritable = (error: unknown): Refusal =>
  new Refusal(
    "storage_unavailable",
    `The relay cannot write its ledger (${code(error)}), so nothing was sent upstream. Try again shortly; ` +
      "the operator should check the disk that holds DATA_DIR.",
    { retryAfterSeconds: 5 },
  );

/** The database takes no rows and the journal has no room left. */
export const spoolFull = (): Refusal =>
  new Refusal(
    "storage_unavailable",
    "The relay's database is not taking ledger rows and its journal has reached its limit, so nothing was " +
      "sent upstream. Try again shortly; the operator should check the disk that holds DATA_DIR, or the server " +
      "DATABASE_URL names.",
    { retryAfterSeconds: 5 },
  );

export const stopped = (): Refusal =>
  new Refusal("storage_unavailable", "The relay is stopping. Try again shortly.", {
    retryAfterSeconds: 5,
  });

const code = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "write failed";
