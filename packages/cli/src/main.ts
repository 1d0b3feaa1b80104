#!/usr/bin/env node
/** `claude-relay`: one line on standard error and exit 1 for whatever goes wrong. */
import { Fault } from "./fault.ts";
import { createProgram } from "./program.ts";
import { readSettings } from "./settings.ts";

const program = createProgram({
  settings: () => readSettings(process.env, process.cwd()),
  print: (line) => process.stdout.write(`${line}\n`),
  note: (line) => process.stderr.write(`${line}\n`),
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof Fault)) {
    throw error;
  }
  process.stderr.write(`claude-relay: ${error.message}\n`);
  process.exitCode = 1;
}
