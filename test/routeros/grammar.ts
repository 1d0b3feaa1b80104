import { builtinSignatures } from "./grammar-builtins.ts";
import { menuSignatures } from "./grammar-menus.ts";
import { atLeast } from "./version.ts";

export type Parameter = Readonly<{
  name: string;
  /** `code`: a block. `script`: a block or a string. `name`: a variable's name, or `(…->…)`. */
  kind: "value" | "code" | "script" | "name";
}>;

export type Signature = Readonly<{
  parameters: ReadonlyMap<string, Parameter>;
  /** Those that may stand without their name, in order. */
  positional: readonly Parameter[];
  flags: ReadonlySet<string>;
  /** Those without which the script does not load. */
  required: ReadonlySet<string>;
  /** `find` and `print`: filters, and a bare `where`. */
  filters: boolean;
}>;

/** The commands one RouterOS version knows. */
export type Grammar = Readonly<{
  version: string;
  signature(name: string): Signature | undefined;
  isMenu(path: string): boolean;
  /** Since 7.23 an unknown parameter stops the command, not the whole script. */
  toleratesUnknown: boolean;
}>;

/** Builds what `version` knows; anything else is a syntax error, as on a router. */
export function createGrammar(version: string): Grammar {
  const signatures = new Map<string, Signature>();
  const menus = new Set<string>();
  for (const [name, text] of [...builtinSignatures, ...menuSignatures()]) {
    const signature = readSignature(text, version);
    if (signature !== undefined) {
      signatures.set(name, signature);
    }
    for (let path = name; path.includes(" "); ) {
      path = path.slice(0, path.lastIndexOf(" "));
      menus.add(path);
    }
  }
  return {
    version,
    signature: (name) => signatures.get(name),
    isMenu: (path) => menus.has(path),
    toleratesUnknown: atLeast(version, "7.23"),
  };
}

const marks = { "%": "name", "": "value", "!": "value", "=": "value" } as const;

/**
 * One line of the tables: `value` may stand unnamed, `!value` must be there, `=value` needs its
 * name, `do{}` is code,
 * `source{"}` code or text, `%name` a variable's name, `+flag`, `?where`; `@7.17` since then.
 */
function readSignature(text: string, version: string): Signature | undefined {
  const parameters = new Map<string, Parameter>();
  const positional: Parameter[] = [];
  const flags = new Set<string>();
  const required = new Set<string>();
  let filters = false;
  for (const word of text.split(" ").filter((part) => part !== "")) {
    const match = /^([=%+?@!]?)([a-z0-9.-]*)(\{"?\})?(?:@(.+))?$/.exec(word);
    const [, mark = "", name = "", braces, since] = match ?? [];
    if (mark === "@") {
      if (!atLeast(version, name)) {
        return undefined;
      }
    } else if (since !== undefined && !atLeast(version, since)) {
      // Not in this version.
    } else if (mark === "+") {
      flags.add(name);
    } else if (mark === "?") {
      filters = true;
    } else {
      const plain = marks[mark as keyof typeof marks];
      if (mark === "!" || mark === "%") {
        required.add(name);
      }
      const kind = braces === undefined ? plain : braces === "{}" ? "code" : "script";
      parameters.set(name, { name, kind });
      if (mark !== "=") {
        positional.push({ name, kind });
      }
    }
  }
  return { parameters, positional, flags, required, filters };
}
