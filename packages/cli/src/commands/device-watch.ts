/** `claude-relay devices watch`: each device that comes to wait for an approval, as it comes. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Device } from "@claude-relay/contract";
import { Command } from "commander";
import { type AdminClient, adminClient } from "../admin-client.ts";
import { approvalOf, fingerprintOf } from "../device-table.ts";
import { deviceCommand, deviceName } from "../device-words.ts";
import { printable } from "../fault.ts";
import { listAll } from "../page-list.ts";
import { Unreachable } from "../relay-request.ts";
import type { CommonOptions, Terminal } from "../terminal.ts";

/** A device itself asks every 3 to 15 s whether it was let in. Milliseconds. */
const everyMs = 3_000;

export const watchCommand = (terminal: Terminal): Command =>
  new Command("watch")
    .description("show each device that comes to wait for an approval, until Ctrl-C")
    .action(async (_: unknown, command: Command) => {
      const { url } = command.optsWithGlobals<CommonOptions>();
      const client = adminClient(terminal.settings(), url);
      let known = await look(terminal, client, new Set());
      terminal.note("Waiting for devices (Ctrl-C ends it)…");
      for (;;) {
        await sleep(everyMs);
        known = await look(terminal, client, known).catch((error: unknown) => {
          // A relay that starts anew is looked at again.
          if (error instanceof Unreachable) {
            return known;
          }
          throw error;
        });
      }
    });

/** Devices that were shown, each with the key that waits: another key is news. */
type Known = ReadonlySet<string>;

const look = async (terminal: Terminal, client: AdminClient, known: Known): Promise<Known> => {
  const all = await listAll<Device>(client, "/admin/devices", "devices");
  const waiting = all.filter((device) => device.waiting_for_approval);
  for (const device of waiting.filter((one) => !known.has(markOf(one))).toReversed()) {
    tell(terminal, device);
  }
  return new Set(waiting.map(markOf));
};

const tell = (terminal: Terminal, device: Device): void => {
  const fingerprint = printable(fingerprintOf(device) ?? "none: it brings no key");
  switch (approvalOf(device)) {
    case "other_key":
      terminal.print(
        `Warning: a different key asks under the id of ${deviceName(device)}, fingerprint ${fingerprint}; its own is ${printable(device.device_key_fingerprint ?? "none")}`,
      );
      terminal.note(
        `  This may be somebody else. Unless you know that the device was set up anew, let it wait. ${deviceCommand("show", device)}`,
      );
      return;
    case "not_approved":
      terminal.print(`${deviceName(device)} is active, not approved, fingerprint ${fingerprint}`);
      break;
    default:
      terminal.print(`${deviceName(device)} waits, fingerprint ${fingerprint}`);
  }
  terminal.note(`  ${deviceCommand("approve", device)}`);
};

const markOf = (device: Device): string => `${fingerprintOf(device)} ${device.id}`;
