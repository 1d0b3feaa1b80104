/** `claude-relay start` and `doctor`: the server package's own programs, run in this folder. */
import { Command } from "commander";
import { runServerProgram } from "../server-program.ts";

export const startCommand = (): Command =>
  new Command("start").description("run the relay here, in the foreground").action(async () => {
    process.exitCode = await runServerProgram("main");
  });

export const doctorCommand = (): Command =>
  new Command("doctor")
    .description("say what a relay started here would use, and what is missing")
    .action(async () => {
      process.exitCode = await runServerProgram("doctor-main");
    });
