/** A small JSON file of this command's own, readable by its owner alone. */
import { randomBytes } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Fault } from "./fault.ts";
import { type JsonObject, parseObject } from "./json-object.ts";
import { ownName } from "./own-name.ts";
import { readIfThere } from "./settings.ts";

/** What the file holds; empty when there is none. @throws Fault when it cannot be read or is no JSON object */
export const readState = (path: string): JsonObject => {
  const text = readIfThere(path);
  const state = text === null ? {} : parseObject(text);
  if (state === null) {
    throw damaged(path);
  }
  return state;
};

/** Written apart and moved: another process may be reading it. @throws Fault */
export const writeState = (path: string, state: JsonObject): void => {
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, `${JSON.stringify(state, null, 2)}\n`, { flag: "wx", mode: 0o600 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw unwritable(path, error);
  }
};

/** Demands that state can be kept there, before there is any. @throws Fault */
export const demandRoom = (folder: string): void => {
  const probe = join(folder, `.${randomBytes(6).toString("hex")}`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(probe, "", { flag: "wx", mode: 0o600 });
    rmSync(probe, { force: true });
  } catch (error) {
    throw unwritable(folder, error);
  }
};

const unwritable = (path: string, error: unknown): Fault => {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  return new Fault(`${path} cannot be written (${code}): make its folder writable for you.`);
};

/** The file is not as this command writes it. */
export const damaged = (path: string): Fault =>
  new Fault(`${path} is damaged. Delete it, then connect again: ${ownName()} connect <url>.`);
