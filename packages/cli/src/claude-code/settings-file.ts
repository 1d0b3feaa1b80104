/** Claude Code's own settings file of this user, and how it is changed without harm. */
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { Fault } from "../fault.ts";
import { parseObject } from "../json-object.ts";
import { homeFolder } from "../own-folder.ts";
import { ownName } from "../own-name.ts";
import { readIfThere } from "../settings.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where Claude Code reads the user's settings: `CLAUDE_CONFIG_DIR`, or `~/.claude`. */
export const claudeSettingsPath = (environment: Environment): string =>
  join(
    environment["CLAUDE_CONFIG_DIR"]?.trim() || join(homeFolder(environment), ".claude"),
    "settings.json",
  );

const byteOrderMark = "\ufeff";

/**
 * The file's text, or null when there is none.
 * @throws Fault when it cannot be read or is no JSON object: what is not understood is not changed
 */
export const readClaudeSettings = (path: string): string | null => {
  const text = readIfThere(path);
  if (text === null || text.trim() === "") {
    return null;
  }
  if (parseObject(withoutMark(text)) === null) {
    throw new Fault(
      `${path} is not a valid JSON object, so it is left as it is. Mend it (JSON has no comments and no commas at the end), or name another folder with CLAUDE_CONFIG_DIR.`,
    );
  }
  return withoutMark(text);
};

/**
 * Writes the file in one step: a reader sees the old text or the new one, never half of one. A link stays a
 * link, the file keeps its mode and owner; a new one is its owner's alone.
 * @param expected what was read before; another text there now is not overwritten
 * @throws Fault
 */
export const writeClaudeSettings = (path: string, text: string, expected: string | null): void => {
  attempt(path, () => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const target = realTarget(path);
    const old = statSync(target, { throwIfNoEntry: false });
    const mark = (readIfThere(target) ?? "").startsWith(byteOrderMark) ? byteOrderMark : "";
    const temporary = join(
      dirname(target),
      `.${basename(target)}.${randomBytes(6).toString("hex")}`,
    );
    try {
      writeFileSync(temporary, mark + text, { flag: "wx", mode: 0o600, flush: true });
      if (old !== undefined) {
        keepOwner(temporary, old);
        chmodSync(temporary, old.mode & 0o7777);
      }
      if (readClaudeSettings(path) !== expected) {
        throw new Fault(`${path} was changed by another program just now: run this again.`);
      }
      renameSync(temporary, target);
    } finally {
      rmSync(temporary, { force: true });
    }
  });
};

/** Takes away a file that connecting made; what a link points at stays. @throws Fault */
export const removeClaudeSettings = (path: string): void =>
  attempt(path, () => rmSync(realTarget(path), { force: true }));

/**
 * Copies the file to one beside it, with the time in its name and the same mode.
 * @returns where; null when there was nothing to copy
 * @throws Fault
 */
export const backUp = (path: string, now: Date): string | null => {
  if (readIfThere(path) === null) {
    return null;
  }
  const stamp = now.toISOString().replace(/[:.]/g, "-");
  const copy = `${path}.before-claude-relay-${stamp}`;
  attempt(copy, () => copyFileSync(path, copy, constants.COPYFILE_EXCL));
  return copy;
};

const withoutMark = (text: string): string =>
  text.startsWith(byteOrderMark) ? text.slice(byteOrderMark.length) : text;

/** What the path stands for in the end, links followed, also where that is not there yet. */
const realTarget = (path: string): string => {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  if (!isLink) {
    return path;
  }
  try {
    return realpathSync(path);
  } catch {
    return resolve(dirname(path), readlinkSync(path));
  }
};

const keepOwner = (path: string, { uid, gid }: Readonly<{ uid: number; gid: number }>): void => {
  if (process.getuid?.() === 0) {
    chownSync(path, uid, gid);
  }
};

const attempt = (path: string, work: () => void): void => {
  try {
    work();
  } catch (error) {
    if (error instanceof Fault) {
      throw error;
    }
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new Fault(
      `${path} cannot be written (${code}). Make it writable, or write the settings yourself: \`${ownName()} connect <url> --print\` shows them.`,
    );
  }
};
