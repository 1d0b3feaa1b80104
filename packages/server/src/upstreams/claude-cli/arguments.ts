import type { CliCredential } from "./credential.ts";
import type { Locks } from "./locks.ts";

/** Applied by flag at the start, and again with each call's own (call-lines.ts): both ways the locks stand. */
export const lockedSettings = {
  disableAllHooks: true,
  permissions: {
    deny: ["Read", "Edit", "Write", "Bash", "WebFetch", "WebSearch", "Agent"],
  },
} as const;

type Given = Readonly<{
  credential: CliCredential["kind"];
  /** A full id; each call sets its own over stdin. */
  model: string;
}>;

/**
 * The command line of a process that waits for one prompt on stdin. It holds nothing of any call:
 * arguments are open to every user of the machine.
 * @param locks all of them, but in tests that show what each is for
 */
export const cliArguments = ({ credential, model }: Given, locks: Locks): string[] => [
  "-p",
  "--verbose",
  ...["--input-format", "stream-json"],
  ...["--output-format", "stream-json", "--include-partial-messages"],
  ...["--model", model],
  // Claude Code's own long prompt never stands in for a call's.
  ...["--system-prompt", ""],
  ...(locks.core.has("no_tools") ? ["--tools", ""] : []),
  ...(locks.core.has("no_settings") ? ["--setting-sources", ""] : []),
  ...(locks.core.has("one_turn") ? ["--max-turns", "1"] : []),
  ...(locks.depth ? depth(credential) : []),
];

const depth = (credential: CliCredential["kind"]): string[] => [
  // A stored login and an OAuth token are ignored under --bare.
  ...(credential === "api_key" ? ["--bare"] : []),
  "--strict-mcp-config",
  ...["--mcp-config", '{"mcpServers":{}}'],
  ...["--settings", JSON.stringify(lockedSettings)],
  "--disable-slash-commands",
  ...["--permission-prompts", "none"],
  "--no-session-persistence",
  // Any response overruns it: exactly one model response a process, whatever its stop reason.
  ...["--max-budget-usd", "0.0000001"],
];
