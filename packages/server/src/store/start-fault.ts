import { relative } from "node:path";
import { reason } from "./faults.ts";

/** What of the data directory was in use when the start failed. */
export type StartPlace = Readonly<{
  /** As configured. */
  dataDir: string;
  part: "instance.lock" | "relay.db" | "journal";
}>;

/**
 * What an operator is told when the store cannot start: which part of DATA_DIR, why, and what to do. Errors that
 * say so themselves pass as they are.
 */
export const startFault = (error: unknown, place: StartPlace): Error => {
  const cause = systemError(error);
  if (cause === null) {
    return error instanceof Error ? error : new Error(String(error));
  }
  return new Error(words(cause, place), { cause: error });
};

/** Does a step of the start. @throws Error as `startFault` words it. */
export const inPart = <Value>(
  dataDir: string,
  part: StartPlace["part"],
  step: () => Value,
): Value => {
  try {
    return step();
  } catch (error) {
    throw startFault(error, { dataDir, part });
  }
};

type SystemError = Error & { code: string; path?: string };

/** The operating system's or SQLite's error, itself or what a migration failed of; null for any other. */
const systemError = (error: unknown): SystemError | null => {
  if (!(error instanceof Error)) {
    return null;
  }
  return "code" in error && typeof error.code === "string"
    ? (error as SystemError)
    : systemError(error.cause);
};

const words = (error: SystemError, place: StartPlace): string => {
  const { code } = error;
  const folder = `DATA_DIR (${place.dataDir})`;
  const thing = `${partOf(error, place)} in ${folder}`;
  const why = reason(error);
  if (/^(ENOSPC|EDQUOT|SQLITE_FULL)/.test(code)) {
    return `The disk that holds ${folder} is full (${why}): make room and start again. Nothing is lost.`;
  }
  if (/^(EIO|SQLITE_IOERR)/.test(code)) {
    return `The disk that holds ${folder} fails or is full (${why}): check it and start again.`;
  }
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) {
    return place.part === "instance.lock"
      ? `${thing} is damaged (${why}). It holds no data: delete it and start again.`
      : `${thing} is damaged or no database of ours (${why}); it was left as it is. ${damageRemedy}`;
  }
  if (/^(SQLITE_BUSY|SQLITE_LOCKED)/.test(code)) {
    return `${thing} is held by another program (${why}): let it finish or stop it, and start again.`;
  }
  if (/^(EEXIST|ENOTDIR)/.test(code)) {
    return `${thing} is a file where a folder is needed (${why}): move it away, or name another DATA_DIR.`;
  }
  if (/^(EACCES|EPERM|EROFS|EISDIR|SQLITE_(READONLY|CANTOPEN|PERM))/.test(code)) {
    return `${thing} cannot be read and written (${why}): it must belong to this user and be of the right kind. ${accessRemedy(place)}`;
  }
  return `${thing} cannot be used (${why}). ${place.part === "journal" ? journalRemedy : damageRemedy}`;
};

const damageRemedy =
  "Restore relay.db from a backup; or save what can be read with `sqlite3 relay.db .recover`; or move relay.db, relay.db-wal and relay.db-shm away to begin anew.";

const journalRemedy =
  "What it holds may not be in the database yet: mend it, or move it away and do without its requests.";

const accessRemedy = ({ part }: StartPlace): string =>
  part === "journal"
    ? `Mend its owner or mode. ${journalRemedy}`
    : "Mend its owner or mode, or name another DATA_DIR.";

/** The very file, when the error names one of the data directory's; SQLite names none. */
const partOf = (error: SystemError, { dataDir, part }: StartPlace): string => {
  if (error.code.startsWith("SQLITE_")) {
    return part === "journal" ? "relay.db" : part;
  }
  const file = error.path === undefined ? "" : relative(dataDir, error.path);
  if (file === "" || file.startsWith("..")) {
    return part === "journal" ? "A file of the journal" : part;
  }
  return file;
};
