/** `claude-relay devices deny`, `disable`, `enable` and `revoke`. */
import type { Device } from "@claude-relay/contract";
import { Command } from "commander";
import { adminClient } from "../admin-client.ts";
import { personIsThere, saysYes } from "../ask-person.ts";
import { deviceLines } from "../device-table.ts";
import { deviceCommand, deviceName } from "../device-words.ts";
import { Fault, printable } from "../fault.ts";
import { deviceIn, findDevice, pathOf } from "../find-device.ts";
import { ownName } from "../own-name.ts";
import type { CommonOptions, Terminal } from "../terminal.ts";

type Move = Readonly<{
  name: string;
  description: string;
  status: "active" | "disabled" | "revoked";
  /** @throws Fault when this is not what should be done */
  check?(device: Device): void;
  /** Whether it cannot be taken back: then a beginning of the id is not enough without a yes. */
  final?: true;
  /** What came of it. `before`: the device as it was. */
  done(device: Device, before: Device): string;
}>;

export const denyCommand = (terminal: Terminal): Command =>
  moveCommand(terminal, {
    name: "deny",
    description: "turn away a device that waits for an approval",
    status: "revoked",
    check: demandNewcomer,
    done: (device, before) =>
      `Denied ${deviceName(device)}: it is told so, and asks no more under this id.${before.status === "pending" ? "" : " A token that it had is dead."} Changed your mind? ${deviceCommand("enable", device)}`,
  });

export const disableCommand = (terminal: Terminal): Command =>
  moveCommand(terminal, {
    name: "disable",
    description: "refuse a device at once, until it is enabled",
    status: "disabled",
    done: (device) =>
      `Disabled ${deviceName(device)}: it is refused from now on. Back with ${deviceCommand("enable", device)}`,
  });

export const revokeCommand = (terminal: Terminal): Command =>
  moveCommand(terminal, {
    name: "revoke",
    description: "refuse a device at once, and end its tokens for good",
    status: "revoked",
    final: true,
    done: (device) =>
      `Revoked ${deviceName(device)}: it is refused from now on, and its tokens are dead for good.`,
  });

export const enableCommand = (terminal: Terminal): Command =>
  moveCommand(terminal, {
    name: "enable",
    description: "let a disabled, denied or revoked device ask again",
    status: "active",
    check: demandTurnedAway,
    done: (device) =>
      device.waiting_for_approval
        ? `${deviceName(device)} may ask again, and waits for an approval: ${deviceCommand("approve", device)}`
        : `${deviceName(device)} is active. A token that was revoked stays dead: the device then signs in anew, and where codes are asked for (BOOTSTRAP=code) it needs a new one: ${ownName()} codes add`,
  });

type MoveOptions = CommonOptions & Readonly<{ yes?: boolean }>;

const moveCommand = (terminal: Terminal, move: Move): Command => {
  const command = new Command(move.name)
    .description(move.description)
    .argument("<id>", "its id, or enough of its beginning: 4 characters or more")
    .action(async (named: string, _: unknown, command: Command) => {
      const { url, yes } = command.optsWithGlobals<MoveOptions>();
      const client = adminClient(terminal.settings(), url);
      const device = await findDevice(client, named, move.final ? "take" : "ask");
      move.check?.(device);
      if (move.final && named !== device.id) {
        await demandMeant(terminal, device, move, yes);
      }
      const body = await client.call({
        method: "PATCH",
        path: pathOf(device),
        body: { status: move.status },
      });
      terminal.note(move.done(deviceIn(body, client), device));
    });
  return move.final ? command.option("--yes", "asks no more; takes the whole id only") : command;
};

/** Only its beginning was named. @throws Fault unless somebody sees which device it is, and says yes */
const demandMeant = async (
  terminal: Terminal,
  device: Device,
  { name }: Move,
  yes: boolean | undefined,
): Promise<void> => {
  if (yes || !personIsThere()) {
    throw new Fault(
      `${yes ? "--yes" : `Without a terminal to ask at, ${name}`} takes the whole id, so that no other is meant: ${deviceCommand(name, device)}`,
    );
  }
  deviceLines(device).forEach(terminal.note);
  if (!(await saysYes(`Is this the device to ${name}? Its tokens end for good.`))) {
    throw new Fault("Nothing was changed.");
  }
};

/** To make a newcomer active is to let it in, without a look at its key. */
const demandTurnedAway = (device: Device): void => {
  if (device.status === "pending") {
    throw new Fault(
      `${deviceName(device)} was not turned away: it waits for an approval. ${deviceCommand("approve", device)}`,
    );
  }
};

/** One that is in keeps its key and tokens while another asks in its name: denying that one must not end it. */
const demandNewcomer = (device: Device): void => {
  if (device.status !== "pending" && device.waiting_key_fingerprint !== null) {
    throw new Fault(
      `${deviceName(device)} has a key already, and what waits is another key under its id. As long as that is not approved, nothing comes of it. To end the device as a whole: ${deviceCommand("revoke", device)}`,
    );
  }
  if (!device.waiting_for_approval) {
    throw new Fault(
      `${deviceName(device)} does not wait for an approval: it is ${printable(device.status)}. To refuse it: ${deviceCommand("revoke", device)}`,
    );
  }
};
