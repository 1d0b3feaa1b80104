/** `claude-relay health`: whether a relay answers, and as what. Needs no token. */
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { Fault, printable } from "../fault.ts";
import { parseObject } from "../json-object.ts";
import { type RelayAddress, relayAddress } from "../relay-address.ts";
import { askRelay, Unreachable } from "../relay-request.ts";
import type { CommonOptions, Terminal } from "../terminal.ts";
import { wholeNumber } from "./numbers.ts";

type HealthOptions = CommonOptions & Readonly<{ wait?: number }>;

export const healthCommand = (terminal: Terminal): Command =>
  new Command("health")
    .description("ask a relay whether it is well")
    .option("--wait <seconds>", "give it this long to come up", wholeNumber(0, 600))
    .action(async (_: unknown, command: Command) => {
      const { url, wait } = command.optsWithGlobals<HealthOptions>();
      const address = relayAddress(terminal.settings(), url);
      const deadline = performance.now() + (wait ?? 0) * 1000;
      terminal.print(await untilHealthy(address, deadline));
    });

const untilHealthy = async (address: RelayAddress, deadline: number): Promise<string> => {
  for (;;) {
    try {
      return await health(address);
    } catch (error) {
      if (!(error instanceof Unreachable) || performance.now() >= deadline) {
        throw error;
      }
      await sleep(200);
    }
  }
};

const health = async (address: RelayAddress): Promise<string> => {
  const { status, text } = await askRelay(address, {
    method: "GET",
    path: "/health",
    timeoutMs: 5_000,
  });
  const body = parseObject(text) ?? {};
  if (status !== 200 || body["status"] !== "healthy") {
    throw new Fault(
      `What answers at ${address.url} (status ${status}) is no healthy relay: check the address (--url, CLAUDE_RELAY_URL, PORT).`,
    );
  }
  const said = (name: string): string => printable(String(body[name] ?? "unknown"));
  return `healthy: ${address.url}, version ${said("version")}, upstream ${said("upstream")}`;
};
