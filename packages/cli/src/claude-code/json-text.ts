/**
 * Members of an object in the text of a JSON file, changed in place: all that stands around them keeps its
 * order, its spaces and its line ends. The text must be a valid JSON object (RFC 8259); callers parse it first.
 */

/** The names that lead to a member: `["env", "PATH"]`. */
export type MemberPath = readonly [string, ...string[]];

/** The text of a member's value, or null when there is none. Of a name that stands twice the last: that one counts. */
export const memberText = (text: string, path: MemberPath): string | null => {
  const member = find(text, path);
  return member === null ? null : text.slice(member.value, member.end);
};

/**
 * The text with that member set; objects on the way are made when they are missing.
 * @param value JSON, written as it is
 * @throws Error when something on the way is no object
 */
export const setMember = (text: string, path: MemberPath, value: string): string => {
  const present = find(text, path);
  if (present !== null) {
    return text.slice(0, present.value) + value + text.slice(present.end);
  }
  const { parent, name } = split(path);
  if (parent === null) {
    return insert(text, topOf(text), name, value);
  }
  const made = find(text, parent) === null ? setMember(text, parent, "{}") : text;
  const holder = find(made, parent);
  if (holder === null || made[holder.value] !== "{") {
    throw new Error(`${parent.join(".")} is not an object`);
  }
  return insert(made, holder.value, name, value);
};

/** The text without that member, however often it stands there. */
export const removeMember = (text: string, path: MemberPath): string => {
  if (find(text, path) === null) {
    return text;
  }
  const { parent, name } = split(path);
  const open = parent === null ? topOf(text) : (find(text, parent)?.value ?? topOf(text));
  return removeMember(cut(text, open, name), path);
};

type Member = Readonly<{
  name: string;
  /** Where its name begins, and ends. */
  start: number;
  nameEnd: number;
  /** Where its value begins. */
  value: number;
  end: number;
}>;

type Opened = Readonly<{ members: readonly Member[]; close: number }>;

const split = (path: MemberPath): Readonly<{ parent: MemberPath | null; name: string }> => {
  const [first, ...rest] = path;
  const name = rest.at(-1);
  return name === undefined
    ? { parent: null, name: first }
    : { parent: [first, ...rest.slice(0, -1)], name };
};

const find = (text: string, path: MemberPath): Member | null => {
  let open = topOf(text);
  let found: Member | null = null;
  for (const name of path) {
    found =
      text[open] === "{"
        ? (read(text, open).members.findLast((member) => member.name === name) ?? null)
        : null;
    if (found === null) {
      return null;
    }
    open = found.value;
  }
  return found;
};

const insert = (text: string, open: number, name: string, value: string): string => {
  const { members, close } = read(text, open);
  const last = members.at(-1);
  if (last !== undefined) {
    // Set off as its neighbour is.
    const gap = /\s*$/.exec(text.slice(open, last.start))?.[0] ?? "";
    const colon = text.slice(last.nameEnd, last.value);
    return `${text.slice(0, last.end)},${gap}${JSON.stringify(name)}${colon}${value}${text.slice(last.end)}`;
  }
  const { before, after, colon } = layout(text, open);
  return `${text.slice(0, open)}{${before}${JSON.stringify(name)}${colon}${value}${after}}${text.slice(close + 1)}`;
};

/** What stands around the only member of the object that opens there. */
const layout = (text: string, open: number) => {
  const alone = /^\s*\{\s*\}\s*$/.test(text);
  if (!alone && !text.trim().includes("\n")) {
    return { before: "", after: "", colon: /^[^:]*":\s/.test(text.trim()) ? ": " : ":" };
  }
  const end = text.includes("\r\n") ? "\r\n" : "\n";
  const lineStart = text.lastIndexOf("\n", open) + 1;
  const margin = /^[ \t]*/.exec(text.slice(lineStart, open))?.[0] ?? "";
  const unit = /\n([ \t]+)"/.exec(text)?.[1] ?? "  ";
  return { before: `${end}${margin}${unit}`, after: `${end}${margin}`, colon: ": " };
};

/** Without the last member of that name in the object that opens there. */
const cut = (text: string, open: number, name: string): string => {
  const { members, close } = read(text, open);
  const at = members.findLastIndex((member) => member.name === name);
  const [member, before, after] = [members[at], members[at - 1], members[at + 1]];
  if (member === undefined) {
    return text;
  }
  if (at > 0 && before !== undefined) {
    return text.slice(0, before.end) + text.slice(member.end);
  }
  return after === undefined
    ? `${text.slice(0, open)}{}${text.slice(close + 1)}`
    : text.slice(0, member.start) + text.slice(after.start);
};

const topOf = (text: string): number => text.indexOf("{");

const read = (text: string, open: number): Opened => {
  const members: Member[] = [];
  let at = pastSpace(text, open + 1);
  while (text[at] === '"') {
    const start = at;
    const nameEnd = pastString(text, start);
    const value = pastSpace(text, pastSpace(text, nameEnd) + 1);
    const end = pastValue(text, value);
    members.push({
      name: String(JSON.parse(text.slice(start, nameEnd))),
      start,
      nameEnd,
      value,
      end,
    });
    at = pastSpace(text, end);
    at = text[at] === "," ? pastSpace(text, at + 1) : at;
  }
  return { members, close: at };
};

/** The same text, matched from there on: where the match ends. */
const past = (pattern: RegExp, text: string, from: number): number => {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : from;
};

const pastSpace = (text: string, from: number): number => past(/[ \t\r\n]*/y, text, from);

const pastString = (text: string, from: number): number => {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') {
    at += text[at] === "\\" ? 2 : 1;
  }
  return at + 1;
};

const pastValue = (text: string, from: number): number => {
  if (text[from] === '"') {
    return pastString(text, from);
  }
  if (text[from] !== "{" && text[from] !== "[") {
    return past(/[^\s,\]}]+/y, text, from);
  }
  let depth = 0;
  let at = from;
  do {
    const sign = text[at];
    depth += sign === "{" || sign === "[" ? 1 : sign === "}" || sign === "]" ? -1 : 0;
    at = sign === '"' ? pastString(text, at) : at + 1;
  } while (depth > 0 && at < text.length);
  return at;
};
