/** Changes that put together what the router then tells others: an address it asks, a name it logs in with. */
import type { Argument, Part } from "./ast.ts";

/** The warning for such a change; undefined when all of it is written out. */
export const carryingWarning = (args: readonly Argument[]): string | undefined => {
  const carrier = args.find(
    ({ name, value }) =>
      name !== null && isToldToOthers(name) && value !== null && readsRouter(value),
  );
  return carrier === undefined
    ? undefined
    : `"${carrier.name}" is put together from what the router holds, and could carry it away to others.`;
};

/** By its last word, and where it is cut short as the console allows. */
const isToldToOthers = (name: string): boolean => {
  const last = name.slice(Math.max(name.lastIndexOf("-"), name.lastIndexOf(".")) + 1);
  return carriers.some((carrier) => carrier.startsWith(last));
};

const carriers =
  "url host hostname hosts address addresses server servers user username password note target remote gateway to ssid identity domain".split(
    " ",
  );

const readsRouter = (part: Part): boolean => {
  switch (part.kind) {
    case "call":
    case "variable":
      return true;
    case "string":
    case "group":
      return part.parts.some(readsRouter);
    default:
      return false;
  }
};
