/**
 * What keeps a headless Claude Code a plain text backend. Each lock was measured: taken away alone from the
 * core, its attack succeeds (test/claude-cli-locks.test.ts). Production always uses `everyLock`.
 */
export type CoreLock =
  /** `--tools ""`: without it Read and read-only Bash run with no permission rule at all. */
  | "no_tools"
  /** `--setting-sources ""`: without it settings found in the working directory run hooks and redirect the key. */
  | "no_settings"
  /** Without it `@/etc/passwd` in a prompt is read and put into the request, whatever `--tools` says. */
  | "no_file_mentions"
  /** `--max-turns 1`: without it a model that keeps asking for tools is asked again for ever. */
  | "one_turn"
  /** A line break before the prompt: without it `/cost` is answered locally, a free false success. */
  | "leading_newline";

export type Locks = Readonly<{
  core: ReadonlySet<CoreLock>;
  /** Everything beyond the core: `--bare`, denied permissions, no MCP, no memory, one response a process … */
  depth: boolean;
}>;

export const coreLocks: readonly CoreLock[] = [
  "no_tools",
  "no_settings",
  "no_file_mentions",
  "one_turn",
  "leading_newline",
];

export const everyLock: Locks = { core: new Set(coreLocks), depth: true };
