/** `claude-relay devices`: who is a device of the relay, over its admin API. */
import type { Device } from "@claude-relay/contract";
import { Command } from "commander";
import { adminClient } from "../admin-client.ts";
import {
  approvalOf,
  deviceLines,
  deviceTable,
  fingerprintOf,
  waitingFirst,
} from "../device-table.ts";
import { deviceCommand } from "../device-words.ts";
import { Fault } from "../fault.ts";
import { deviceIn, findDevice, pathOf } from "../find-device.ts";
import { ownName } from "../own-name.ts";
import { listAll } from "../page-list.ts";
import { printList } from "../print-list.ts";
import { shownJson } from "../shown-json.ts";
import type { CommonOptions, Terminal } from "../terminal.ts";
import { sayHowToAddUser } from "../unknown-user.ts";
import { approveCommand } from "./device-approval.ts";
import { changesOf, type DeviceChangeOptions, withChangeOptions } from "./device-changes.ts";
import { denyCommand, disableCommand, enableCommand, revokeCommand } from "./device-status.ts";
import { watchCommand } from "./device-watch.ts";

export const devicesCommand = (terminal: Terminal): Command =>
  new Command("devices")
    .alias("device")
    .description("devices: list, show, watch, approve, deny, disable, enable, revoke")
    .addCommand(listCommand(terminal), { isDefault: true })
    .addCommand(showCommand(terminal))
    .addCommand(watchCommand(terminal))
    .addCommand(approveCommand(terminal))
    .addCommand(denyCommand(terminal))
    .addCommand(setCommand(terminal))
    .addCommand(disableCommand(terminal))
    .addCommand(enableCommand(terminal))
    .addCommand(revokeCommand(terminal));

type ReadOptions = CommonOptions & Readonly<{ json?: boolean; waiting?: boolean }>;

const listCommand = (terminal: Terminal): Command =>
  new Command("list")
    .description("every device, those that wait for an approval first")
    .option("--waiting", "only those that are not approved, and what asks under a known id")
    .option("--json", "as JSON")
    .action(async (_: unknown, command: Command) => {
      const { url, json, waiting } = command.optsWithGlobals<ReadOptions>();
      const client = adminClient(terminal.settings(), url);
      const all = await listAll<Device>(client, "/admin/devices", "devices");
      const shown = waitingFirst(all).filter((one) => one.waiting_for_approval || !waiting);
      printList(terminal, shown, { json, table: deviceTable, hint: hintFor(waiting) });
      const [first] = shown;
      if (first !== undefined && !json) {
        adviceFor(first).forEach(terminal.note);
      }
    });

/** @param first of the list: a waiting one, if there is any */
const adviceFor = (first: Device): readonly string[] => {
  switch (approvalOf(first)) {
    case "newcomer":
      return [`To let a waiting one in: ${deviceCommand("approve", first)}`];
    case "other_key":
      return [`The key that asks under a known id: ${deviceCommand("show", first)}`];
    case "not_approved":
      return [`To approve an active one: ${deviceCommand("approve", first)}`];
    case null:
      return [];
  }
};

const hintFor = (waiting: boolean | undefined): string =>
  waiting
    ? "No device waits for an approval."
    : `No devices yet. On the machine that is to be one: claude-relay connect <url>. Where codes are needed: ${ownName()} codes add`;

const showCommand = (terminal: Terminal): Command =>
  new Command("show")
    .description("all there is to know about a device")
    .argument("<id>", "its id, or enough of its beginning: 4 characters or more")
    .option("--json", "as JSON")
    .action(async (named: string, _: unknown, command: Command) => {
      const { url, json } = command.optsWithGlobals<ReadOptions>();
      const device = await findDevice(adminClient(terminal.settings(), url), named);
      if (json) {
        terminal.print(shownJson(device));
        return;
      }
      for (const line of deviceLines(device)) {
        terminal.print(line);
      }
      approvalDue(device).forEach(terminal.note);
    });

const approvalDue = (device: Device): readonly string[] => {
  const key = fingerprintOf(device) ?? "(it has none)";
  const approve = deviceCommand("approve", device);
  switch (approvalOf(device)) {
    case "newcomer":
      return [`It waits for an approval of its key ${key}: ${approve}`];
    case "other_key":
      return [
        `Another key, ${key}, asks under its id, and gets nothing as long as you do not approve it. Only if you know that the device was set up anew: ${approve}`,
      ];
    case "not_approved":
      return [
        `It is active, but its key ${key} is not approved: a token that it has works until it expires, and for another it needs the approval: ${approve}`,
      ];
    case null:
      return [];
  }
};

const setCommand = (terminal: Terminal): Command =>
  withChangeOptions(
    new Command("set")
      .description("name a device, or give it to a user or an organization")
      .argument("<id>", "its id, or enough of its beginning: 4 characters or more"),
  ).action(async (named: string, _: unknown, command: Command) => {
    const options = command.optsWithGlobals<CommonOptions & DeviceChangeOptions>();
    const changes = changesOf(options);
    if (changes === null) {
      throw new Fault("What is to be set? --label, --user or --organization.");
    }
    const client = adminClient(terminal.settings(), options.url);
    const device = await findDevice(client, named);
    const body = await client
      .call({ method: "PATCH", path: pathOf(device), body: changes })
      .catch(sayHowToAddUser(options.user));
    for (const line of deviceLines(deviceIn(body, client))) {
      terminal.print(line);
    }
  });
