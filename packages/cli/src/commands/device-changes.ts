import type { Command } from "commander";

export type DeviceChangeOptions = Readonly<{
  label?: string;
  user?: string;
  organization?: string;
}>;

/** A command that takes what an operator may say of a device. */
export const withChangeOptions = (command: Command): Command =>
  command
    .option("--label <name>", "call the device so in lists")
    .option("--user <id>", "the user it belongs to")
    .option("--organization <id>", "the organization it belongs to");

/** PATCH /admin/devices/:id, or null when nothing was said. */
export const changesOf = ({ label, user, organization }: DeviceChangeOptions): object | null => {
  const changes = {
    ...(label !== undefined && { label }),
    ...(user !== undefined && { user_id: user }),
    ...(organization !== undefined && { organization_id: organization }),
  };
  return Object.keys(changes).length === 0 ? null : changes;
};
