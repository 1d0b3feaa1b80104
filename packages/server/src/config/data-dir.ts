import { accessSync, constants, existsSync, mkdirSync, type Stats, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/**
 * Why a folder cannot be DATA_DIR, or null when it can be used or made. Changes nothing.
 * @param dataDir as configured; relative to the working directory
 */
export const dataDirFault = (dataDir: string): string | null => {
  const wanted = resolve(dataDir);
  const { folder, stats } = nearest(wanted);
  if (!stats.isDirectory()) {
    return folder === wanted
      ? `DATA_DIR (${dataDir}) is a file: name a folder.`
      : `DATA_DIR (${dataDir}) leads through a file, ${folder}: name another folder.`;
  }
  if (mayUse(folder)) {
    return null;
  }
  return folder === wanted
    ? `DATA_DIR (${dataDir}) cannot be read and written by this user: change its owner or mode, or name another folder.`
    : `DATA_DIR (${dataDir}) cannot be made by this user in ${folder}: make it for this user, or name another folder.`;
};

/**
 * Makes the folder and those above it, for the owner's eyes only (0700). One that exists keeps its mode.
 * @throws Error naming DATA_DIR and the remedy
 */
export const makeDataDir = (dataDir: string): void => {
  try {
    make(resolve(dataDir));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `DATA_DIR (${dataDir}) cannot be made: ${reason}. Make room or make it for this user, or name another folder.`,
      { cause: error },
    );
  }
};

/** One by one: below /proc, Node's own recursive mkdir never comes back. */
const make = (folder: string): void => {
  if (existsSync(folder)) {
    return;
  }
  make(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(folder)) {
      throw error;
    }
  }
};

/** What is there on the way to `path`: itself, or the closest above it. */
const nearest = (path: string): { folder: string; stats: Stats } => {
  for (let folder = path; ; folder = dirname(folder)) {
    const stats = statOrNull(folder);
    if (stats !== null || folder === dirname(folder)) {
      return { folder, stats: stats ?? statSync(folder) };
    }
  }
};

/** Null for what is not there or may not be looked at. */
const statOrNull = (path: string): Stats | null => {
  try {
    return statSync(path);
  } catch {
    return null;
  }
};

const mayUse = (folder: string): boolean => {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
};
