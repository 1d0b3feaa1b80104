/** `claude-relay env`: lines for a shell. eval "$(claude-relay env)" */
import { Command, Option } from "commander";
import { relayEnvironment, type Shell, shellLines, shells, usualShell } from "../shell-lines.ts";
import type { CommonOptions, Terminal } from "../terminal.ts";
import { currentToken } from "../token-call.ts";

type EnvOptions = CommonOptions & Readonly<{ shell?: Shell }>;

export const envCommand = (terminal: Terminal): Command =>
  new Command("env")
    .description('print lines that point the SDKs at the relay: eval "$(claude-relay env)"')
    .addOption(new Option("--shell <name>", "whose language").choices(shells))
    .action(async (_: unknown, command: Command) => {
      const { url, shell } = command.optsWithGlobals<EnvOptions>();
      const { relay, token } = await currentToken(url, terminal.env);
      const lines = shellLines(
        relayEnvironment(relay.url, token),
        shell ?? usualShell(terminal.env),
      );
      for (const line of lines) {
        terminal.print(line);
      }
    });
