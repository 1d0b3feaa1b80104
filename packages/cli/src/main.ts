#!/usr/bin/env node
/** `claude-relay`: one line on standard error and an exit code for whatever goes wrong. */
import { Fault } from "./fault.ts";

const words = process.argv.slice(2);

/** What Claude Code runs again and again: only what it needs is loaded. */
const printToken = async (url: string | undefined): Promise<void> => {
  const { currentToken } = await import("./token-call.ts");
  const { token } = await currentToken(url, process.env);
  process.stdout.write(`${token}\n`);
};

const anyCommand = async (): Promise<void> => {
  const { createProgram } = await import("./program.ts");
  const { readSettings } = await import("./settings.ts");
  const program = createProgram({
    env: process.env,
    calledFrom: process.env["CLAUDE_RELAY_CALLED_FROM"] ?? process.cwd(),
    settings: () => readSettings(process.env, process.cwd()),
    print: (line) => process.stdout.write(`${line}\n`),
    note: (line) => process.stderr.write(`${line}\n`),
  });
  await program.parseAsync();
};

/** `head` and its like go when they have read enough: what a shell says of SIGPIPE, and no more words. */
const endUnread = ({ code }: NodeJS.ErrnoException): void =>
  process.exit(code === "EPIPE" ? 141 : 1);
process.stdout.on("error", endUnread);
// Notes that nobody reads stop no work.
process.stderr.on("error", () => undefined);

try {
  const [command, option, url, ...more] = words;
  const plain = command === "token" && (option === undefined || option === "--url");
  await (plain && more.length === 0 && (option === undefined) === (url === undefined)
    ? printToken(url)
    : anyCommand());
} catch (error) {
  if (!(error instanceof Fault)) {
    throw error;
  }
  process.stderr.write(`claude-relay: ${error.message}\n`);
  process.exitCode = error.exitCode;
}
