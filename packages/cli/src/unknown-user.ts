/** The relay speaks of its API; a person at a terminal has a command for it. */
import { Refused } from "./admin-client.ts";
import { Fault, printable } from "./fault.ts";
import { ownName, quoted } from "./own-name.ts";

/**
 * For a call that names a user: when the relay knows none of that id, how to add them.
 * @param user as told on the command line
 * @throws Fault with the way out, or what was given
 */
export const sayHowToAddUser =
  (user: string | undefined) =>
  (error: unknown): never => {
    if (
      user !== undefined &&
      error instanceof Refused &&
      /there is no user "/.test(error.message)
    ) {
      const shown = printable(user);
      throw new Fault(
        `There is no user "${shown}". Add them first: ${ownName()} users add ${user.startsWith("-") ? "-- " : ""}${quoted(shown)}`,
      );
    }
    throw error;
  };
