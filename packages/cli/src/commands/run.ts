/** `claude-relay run -- <command…>`: a program that speaks to Claude through the relay. */
import { Command } from "commander";
import { Fault } from "../fault.ts";
import { runProgram } from "../passing-program.ts";
import { relayEnvironment } from "../shell-lines.ts";
import type { CommonOptions, Terminal } from "../terminal.ts";
import { currentToken } from "../token-call.ts";

export const runCommand = (terminal: Terminal): Command =>
  new Command("run")
    .description("run a program with the environment that points it at the relay")
    .usage("[options] -- <command...>")
    .argument("<command...>", "the program and its arguments, after --")
    .action(async (words: string[], _: unknown, command: Command) => {
      const { url } = command.optsWithGlobals<CommonOptions>();
      const [file, ...args] = words;
      if (!file) {
        throw new Fault("What is to be run? claude-relay run -- <command…>");
      }
      const { relay, token } = await currentToken(url, terminal.env);
      process.exitCode = await runProgram({
        command: [file, ...args],
        env: { ...environmentFor(relay.url, token, terminal.env), PWD: terminal.calledFrom },
        cwd: terminal.calledFrom,
      });
    });

const environmentFor = (
  url: string,
  token: string,
  { CLAUDE_RELAY_CALLED_FROM: _, ...around }: Terminal["env"],
): NodeJS.ProcessEnv => {
  const env: NodeJS.ProcessEnv = { ...around };
  for (const [name, value] of Object.entries(relayEnvironment(url, token))) {
    if (value === null) {
      delete env[name];
    } else {
      env[name] = value;
    }
  }
  return env;
};
