/** How a device is spoken of. It named itself, so its name is neither trusted by a shell nor by an eye. */
import type { Device } from "@claude-relay/contract";
import { printable } from "./fault.ts";
import { ownName, quoted } from "./own-name.ts";

/** As an operator calls it: its label, if it has one, and its id. */
export const deviceName = ({ id, label }: Pick<Device, "id" | "label">): string =>
  label === null ? printable(id) : `${inOneCell(label)} (${printable(id)})`;

/**
 * A command about the device, to be copied into a shell.
 * @param verb with its options, such as `approve --yes`
 */
export const deviceCommand = (verb: string, { id }: Pick<Device, "id">): string =>
  `${ownName()} devices ${verb} ${id.startsWith("-") ? "-- " : ""}${quoted(printable(id))}`;

/** Without what would look like the next column. */
export const inOneCell = (text: string): string => printable(text).replace(/\s+/g, " ");

/** An id in a table: whole, and in quotes where it holds blanks. */
export const idInCell = (id: string): string =>
  /\s/.test(printable(id)) ? quoted(printable(id)) : printable(id);
