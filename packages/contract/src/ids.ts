/**
 * Branded ids and units: at run time plain strings and numbers, to the compiler all different,
 * so that a device id never stands where a request id is meant.
 */
declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** One request through the relay: `req_` and 26 characters, sorting by time. Also the ledger row's id. */
export type RequestId = Branded<string, "RequestId">;
/** A device as it named itself at `/bootstrap`: 8–128 printable ASCII characters. */
export type DeviceId = Branded<string, "DeviceId">;
/** An app key, by its label: `my-app`. The secret itself is never an id. */
export type AppKeyId = Branded<string, "AppKeyId">;
/** A MikroTik router, by the name it was added with or the id it sends: `office`, a serial number. */
export type RouterId = Branded<string, "RouterId">;
export type BudgetId = Branded<string, "BudgetId">;
export type PolicyId = Branded<string, "PolicyId">;
export type UserId = Branded<string, "UserId">;
export type OrganizationId = Branded<string, "OrganizationId">;
/** A model id in Anthropic's spelling, e.g. `claude-sonnet-4-5-20250929`. */
export type ModelId = Branded<string, "ModelId">;
/** Whole micro-dollars: 1_000_000 is one US dollar. */
export type MicroUsd = Branded<number, "MicroUsd">;
/** Milliseconds since the Unix epoch, from the wall clock. */
export type EpochMs = Branded<number, "EpochMs">;

/**
 * Names a number as micro-dollars.
 * @throws RangeError unless it is a whole, safe number: a fraction here means a pricing bug.
 */
export const microUsd = (amount: number): MicroUsd => {
  if (!Number.isSafeInteger(amount)) {
    throw new RangeError(`not a whole number of micro-dollars: ${amount}`);
  }
  return amount as MicroUsd;
};

export const epochMs = (time: number): EpochMs => time as EpochMs;
