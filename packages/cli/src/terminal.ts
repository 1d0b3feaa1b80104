import type { Settings } from "./settings.ts";

/** What a command gets of the world around it. */
export type Terminal = Readonly<{
  env: Readonly<Record<string, string | undefined>>;
  /** The folder it was called in; not always the one it runs in. */
  calledFrom: string;
  /** Reads the settings of the folder the command runs in. */
  settings(): Settings;
  /** What was asked for: one line on standard output. */
  print(line: string): void;
  /** What a person should know beside it: one line on standard error. */
  note(line: string): void;
}>;

/** Options that stand at any command. */
export type CommonOptions = Readonly<{ url?: string }>;
