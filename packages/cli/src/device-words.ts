/** How a device is spoken of. It named itself, so its name is neither trusted by a shell nor by an eye. */
import type { Device } from "@claude-relay/contract";
import { harmless, printable } from "./fault.ts";
import { ownName, quoted } from "./own-name.ts";

/** As an operator calls it: its label, if it has one, and its id. */
export const deviceName = ({ id, label }: Pick<Device, "id" | "label">): string =>
  label === null ? idInCell(id) : `${inOneCell(label)} (${idInCell(id)})`;

/**
 * A command about the device, to be copied into a shell.
 * @param verb with its options, such as `approve --yes`
 */
export const deviceCommand = (
  verb: string,
  { id }: Pick<Device, "id">,
  platform: string = process.platform,
): string => {
  // Between double quotes, too, a shell of Windows acts on these.
  const word = platform === "win32" && /["$%`]/.test(id) ? "<id>" : quoted(harmless(id));
  return `${ownName()} devices ${verb} ${id.startsWith("-") ? "-- " : ""}${word}`;
};

/** Without what would look like the next column. */
export const inOneCell = (text: string): string => printable(text).replace(/\s+/g, " ");

/** An id to be read and copied: whole, and in quotes where it holds blanks. `a ` is another device than `a`. */
export const idInCell = (id: string): string =>
  /\s/.test(harmless(id)) ? quoted(harmless(id)) : harmless(id);
