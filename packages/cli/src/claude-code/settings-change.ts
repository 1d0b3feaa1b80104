/** What connecting changes in Claude Code's settings, and how it is taken back: texts in, texts out. */
import { Fault } from "../fault.ts";
import { isObject, parseObject } from "../json-object.ts";
import { type MemberPath, memberText, removeMember, setMember } from "./json-text.ts";

/** A setting as it is wanted; null: not there. */
export type Wanted = Readonly<{ path: MemberPath; value: string | null }>;

/** One setting as it was written, and the JSON that stood there before; null: nothing. */
export type Change = Readonly<{ path: MemberPath; wrote: string | null; before: string | null }>;

/** All that is needed to take a change back. */
export type UndoRecord = Readonly<{
  fileMade: boolean;
  envMade: boolean;
  changes: readonly Change[];
}>;

/**
 * The settings with what is wanted in them.
 * @param text the file's; null when there is none
 * @param earlier what was written there by an earlier connect: what stood there before *that* is what an undo brings back
 * @throws Fault when `env` is no object
 */
export const withSettings = (
  text: string | null,
  wanted: readonly Wanted[],
  earlier: UndoRecord | null,
): Readonly<{ text: string; record: UndoRecord }> => {
  const before = text ?? "{}\n";
  const env = parseObject(before)?.["env"];
  if (env !== undefined && !isObject(env)) {
    throw new Fault("its `env` is not an object");
  }
  const changes = wanted.flatMap((one) => changeOf(before, one, earlier));
  const untouched = (earlier?.changes ?? []).filter((one) => !wanted.some(at(one.path)));
  return {
    text: changes.reduce((now, { path, wrote }) => put(now, path, asJson(wrote)), before),
    record: {
      fileMade: text === null || earlier?.fileMade === true,
      envMade: env === undefined || earlier?.envMade === true,
      changes: [...untouched, ...changes],
    },
  };
};

/**
 * The settings as they were before. What was changed again since then is left alone and named in `kept`.
 * `text` is null when nothing is left of a file that connecting made.
 */
export const withoutSettings = (
  text: string,
  { changes, envMade, fileMade }: UndoRecord,
): Readonly<{ text: string | null; kept: readonly MemberPath[] }> => {
  const kept: MemberPath[] = [];
  let now = text;
  for (const { path, wrote, before } of changes.toReversed()) {
    const found = memberText(now, path);
    if (sameValue(found, asJson(wrote))) {
      now = put(now, path, before);
    } else if (!sameValue(found, before)) {
      kept.push(path);
    }
  }
  if (envMade && isEmptyObject(memberText(now, ["env"]))) {
    now = removeMember(now, ["env"]);
  }
  return { text: fileMade && isEmptyObject(now) ? null : now, kept };
};

const changeOf = (text: string, { path, value }: Wanted, earlier: UndoRecord | null): Change[] => {
  const found = memberText(text, path);
  const known = earlier?.changes.find(at(path));
  const ours = known !== undefined && sameValue(found, asJson(known.wrote));
  const before = ours ? known.before : found;
  // Not there and not wanted: nothing to do, and nothing to take back.
  return value === null && before === null ? [] : [{ path, wrote: value, before }];
};

const at =
  (path: MemberPath) =>
  (one: Readonly<{ path: MemberPath }>): boolean =>
    one.path.join("\n") === path.join("\n");

const put = (text: string, path: MemberPath, value: string | null): string => {
  if (sameValue(memberText(text, path), value)) {
    return text;
  }
  if (value === null) {
    return removeMember(text, path);
  }
  const parent = path.length > 1 ? memberText(text, [path[0]]) : null;
  if (parent !== null && !parent.startsWith("{")) {
    throw new Fault(`its \`${path[0]}\` is not an object`);
  }
  return setMember(text, path, value);
};

const asJson = (value: string | null): string | null =>
  value === null ? null : JSON.stringify(value);

const sameValue = (one: string | null, other: string | null): boolean =>
  one === other || (one !== null && other !== null && normal(one) === normal(other));

const normal = (json: string): string => JSON.stringify(JSON.parse(json));

const isEmptyObject = (json: string | null): boolean =>
  json !== null && /^\s*\{\s*\}\s*$/.test(json);
