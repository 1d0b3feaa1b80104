import { InvalidArgumentError } from "commander";

/** An argument parser for the name of a key or router. @param what it is called, such as `label` */
export const named =
  (what: string) =>
  (text: string): string => {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)) {
      throw new InvalidArgumentError(
        `A ${what} has 1 to 64 letters, digits, dots, dashes and underscores, and begins with a letter or digit.`,
      );
    }
    return text;
  };
