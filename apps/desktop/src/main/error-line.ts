/**
 * An error for the log: what kind, and where it arose. Not its message: errors of libraries quote what they
 * were given, and that may be a secret or somebody's words.
 */
export const errorLine = (error: unknown): string => {
  if (!(error instanceof Error)) {
    return `something that is no error was thrown (${typeof error})`;
  }
  const { code } = error as { code?: unknown };
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  const kind = typeof code === "string" ? `${error.name} ${code}` : error.name;
  return [kind, ...frames.slice(0, 4).map((frame) => frame.trim())].join(" ");
};
