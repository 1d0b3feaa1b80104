/** The desktop app's main process: lines of the shell on standard input, ours on standard output. */
import { Console } from "node:console";
import { hostname } from "node:os";
import packageJson from "../../package.json" with { type: "json" };
import { createChatPart } from "./chat/chat-part.ts";
import { errorLine } from "./error-line.ts";
import { MainProcess } from "./main-process.ts";

/** What does not end by itself in this time is cut off, in milliseconds. */
const longestStopMs = 5_000;

const log = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

// Nobody may be reading the log any more: that is no reason to end.
process.stderr.on("error", () => undefined);
// Set for other programs of this machine: a relay's certificate is always looked at.
delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
// Standard output belongs to the wire: a library that prints must not break it.
globalThis.console = new Console(process.stderr);

process.on("uncaughtException", (error) => {
  log(`claude-relay's main process failed: ${errorLine(error)}`);
  process.exit(1);
});

let isStopping = false;
const stop = async (): Promise<void> => {
  if (!isStopping) {
    isStopping = true;
    setTimeout(() => process.exit(0), longestStopMs).unref();
    await main.stop();
    process.exit(0);
  }
};

const main = new MainProcess({
  input: process.stdin,
  output: process.stdout,
  environment: process.env,
  appVersion: packageJson.version,
  deviceName: hostname(),
  createChat: createChatPart,
  log,
  onEnd: stop,
});
process.on("SIGTERM", stop).on("SIGINT", stop);
