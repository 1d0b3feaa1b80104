import { homedir } from "node:os";
import { configFolder } from "@claude-relay/client/device/kept-token";
import { Fault } from "./fault.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** This command's own folder. @throws Fault when it is not known where */
export const ownFolder = (environment: Environment): string =>
  homeless(() => configFolder(environment));

/** The user's home. @throws Fault when nothing says where it is */
export const homeFolder = (environment: Environment): string =>
  environment["HOME"]?.trim() || homeless(homedir);

/** In a container a user may be a number alone. */
const homeless = (find: () => string): string => {
  try {
    return find();
  } catch {
    throw new Fault("This user has no home folder: set HOME to a folder of theirs.");
  }
};
