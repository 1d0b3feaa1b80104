import type { Fields } from "./cli-line.ts";
import { type CliCredential, keySourcesOf } from "./credential.ts";

export type Expected = Readonly<{
  version: string;
  model: string;
  credential: CliCredential;
}>;

type InitFault =
  /** The locks do not hold: nothing may run until somebody has looked. */
  | { readonly kind: "breach"; readonly message: string }
  /** This call alone cannot be served. */
  | { readonly kind: "model"; readonly message: string };

const mustBeEmpty = ["tools", "mcp_servers", "slash_commands", "agents", "skills"];

/**
 * Checks the `system/init` line, in which a process says what it would let the model do.
 * A list that is missing is as bad as one that is not empty.
 * @returns null when all is locked
 */
export const checkInit = (init: Fields, expected: Expected): InitFault | null => {
  const open = mustBeEmpty.filter((name) => !isEmptyList(init[name]));
  if (open.length > 0) {
    return breach(`it does not list ${open.join(", ")} as empty`);
  }
  if (!isListOf(init["plugins"], isBuiltIn)) {
    return breach("it loaded plugins");
  }
  if (init["claude_code_version"] !== expected.version) {
    return breach(`it is not version ${expected.version}, which was probed`);
  }
  if (!keySourcesOf(expected.credential).includes(String(init["apiKeySource"]))) {
    return breach("it took its credential from somewhere else");
  }
  if (init["model"] !== expected.model) {
    const message = `model: Claude Code would answer with another model than ${expected.model}`;
    return { kind: "model", message };
  }
  return null;
};

const breach = (message: string): InitFault => ({ kind: "breach", message });

const isListOf = (value: unknown, accept: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(accept);

const isEmptyList = (value: unknown): boolean => isListOf(value, () => false);

/** Claude Code always names its own ones, which hold nothing here: what plugins bring is listed above. */
const isBuiltIn = (plugin: unknown): boolean => {
  const { path, source } = (plugin ?? {}) as Readonly<{ path?: unknown; source?: unknown }>;
  return path === "builtin" && typeof source === "string" && source.endsWith("@builtin");
};
