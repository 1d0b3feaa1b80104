/** `claude-relay devices approve`: the key that was compared is let in, and no other. */
import type { Device } from "@claude-relay/contract";
import { Command, InvalidArgumentError } from "commander";
import { type AdminClient, adminClient } from "../admin-client.ts";
import { personIsThere, saysYes } from "../ask-person.ts";
import { approvalOf, deviceLines, fingerprintOf } from "../device-table.ts";
import { deviceCommand, deviceName, idInCell } from "../device-words.ts";
import { Fault, printable } from "../fault.ts";
import { findDevice, pathOf } from "../find-device.ts";
import type { CommonOptions, Terminal } from "../terminal.ts";
import { sayHowToAddUser } from "../unknown-user.ts";
import { changesOf, type DeviceChangeOptions, withChangeOptions } from "./device-changes.ts";

type ApproveOptions = CommonOptions &
  DeviceChangeOptions &
  Readonly<{ fingerprint?: string; yes?: boolean }>;

export const approveCommand = (terminal: Terminal): Command =>
  withChangeOptions(
    new Command("approve")
      .description("let a waiting device in, once its fingerprint is compared with what it shows")
      .argument("<id>", "its id, or enough of its beginning: 4 characters or more")
      .option("--fingerprint <ab12-…>", "as the device shows it: asks no more", fingerprint)
      .option("--yes", "whatever key waits under this id; takes the whole id only"),
  ).action(async (named: string, _: unknown, command: Command) => {
    const options = command.optsWithGlobals<ApproveOptions>();
    const client = adminClient(terminal.settings(), options.url);
    // Whichever is found, its key is compared, or its whole id demanded.
    const device = await findDevice(client, named, "take");
    demandWaiting(device);
    await demandCompared(terminal, device, named, options);
    await approve(client, device, options);
    terminal.note(
      `Approved ${deviceName(device)}. It goes on by itself, within a quarter of a minute if it waits just now.`,
    );
  });

/** Two spellings of one: with or without dashes, in either case. */
const fingerprint = (text: string): string => {
  const digits = text.toLowerCase().replace(/[\s-]/g, "");
  if (!/^[0-9a-f]{16}$/.test(digits)) {
    throw new InvalidArgumentError(
      "A fingerprint has 16 hexadecimal digits, such as ab12-cd34-ef56-7890.",
    );
  }
  return digits.match(/.{4}/g)?.join("-") ?? "";
};

const demandWaiting = (device: Device): void => {
  if (device.status === "disabled" || device.status === "revoked") {
    throw new Fault(
      `${deviceName(device)} is ${device.status}. To let it ask again: ${deviceCommand("enable", device)}`,
    );
  }
  if (!device.waiting_for_approval) {
    throw new Fault(`${deviceName(device)} does not wait for an approval: it is ${device.status}.`);
  }
};

/** @throws Fault unless the operator compared the key, or said that it need not be */
const demandCompared = async (
  terminal: Terminal,
  device: Device,
  named: string,
  options: ApproveOptions,
): Promise<void> => {
  const waiting = fingerprintOf(device);
  if (options.fingerprint !== undefined) {
    demandSame(device, options.fingerprint);
    return;
  }
  if (options.yes) {
    if (named !== device.id) {
      throw new Fault(
        `--yes takes the whole id, so that no other is meant: ${idInCell(device.id)}`,
      );
    }
    return;
  }
  if (!personIsThere()) {
    throw new Fault(
      waiting === null
        ? `It brings no key, so there is nothing to compare. To let it in all the same: ${deviceCommand("approve --yes", device)}`
        : `${approvalOf(device) === "other_key" ? "Another key asks under its id: only if the device was set up anew, compare" : "Compare"} the fingerprint with what the device shows, then: ${deviceCommand("approve --fingerprint <as the device shows it>", device)}`,
    );
  }
  deviceLines(device).forEach(terminal.note);
  warnings(device).forEach(terminal.note);
  const question =
    waiting === null
      ? "Let it in all the same?"
      : `Does the device show the fingerprint ${waiting}, all of it?`;
  if (!(await saysYes(question))) {
    throw new Fault(`Nothing was changed: ${leftAlone(device)}`);
  }
};

/** What works on a device that was not approved. */
const leftAlone = (device: Device): string => {
  switch (approvalOf(device)) {
    case "other_key":
      return `it stays in with its own key, and as long as the other is not approved, nothing comes of that. To end the device as a whole: ${deviceCommand("revoke", device)}`;
    case "not_approved":
      return `it stays active, not approved. To refuse it, and end a token that it has: ${deviceCommand("revoke", device)}`;
    default:
      return `it goes on waiting. To turn it away: ${deviceCommand("deny", device)}`;
  }
};

const demandSame = (device: Device, told: string): void => {
  const waiting = fingerprintOf(device);
  if (waiting !== told) {
    throw new Fault(
      `${deviceName(device)} waits with ${waiting === null ? "no key" : `the key ${printable(waiting)}`}, not with ${told}: this may be somebody else's device. Nothing was changed.`,
    );
  }
};

const warnings = (device: Device): readonly string[] => {
  const { device_key_fingerprint: own, waiting_key_fingerprint: other } = device;
  return [
    fingerprintOf(device) === null &&
      "It brings no key, so there is nothing to compare but its id: whoever knows the id may be asking.",
    other !== null &&
      own !== null &&
      "It was let in before with another key. Approve the new one only if you know that the device was set up anew.",
  ].filter((line) => line !== false);
};

const approve = async (
  client: AdminClient,
  device: Device,
  options: ApproveOptions,
): Promise<void> => {
  const changes = changesOf(options);
  if (changes !== null) {
    // Before it is in: what it uses counts from the first request on as its owner's.
    await client
      .call({ method: "PATCH", path: pathOf(device), body: changes })
      .catch(sayHowToAddUser(options.user));
  }
  const waiting = fingerprintOf(device);
  await client.call({
    method: "POST",
    path: `${pathOf(device)}/approve`,
    body: waiting === null ? {} : { device_key_fingerprint: waiting },
  });
};
