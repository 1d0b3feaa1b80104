/** `claude-relay token`: a fresh token, alone on standard output. Claude Code runs it as its apiKeyHelper. */
import { Command } from "commander";
import type { CommonOptions, Terminal } from "../terminal.ts";
import { currentToken } from "../token-call.ts";

export const tokenCommand = (terminal: Terminal): Command =>
  new Command("token")
    .description("print a fresh token of the relay this machine is connected to")
    .action(async (_: unknown, command: Command) => {
      const { url } = command.optsWithGlobals<CommonOptions>();
      const { token } = await currentToken(url, terminal.env);
      terminal.print(token);
    });
