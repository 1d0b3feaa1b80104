/** One relay double for a test file, and clients for it whose waits are recorded instead of waited for. */
import { after, before } from "node:test";
import { type Client, type ClientOptions, createClient } from "../index.ts";
import { type RelayDouble, startRelayDouble } from "./relay-double.ts";

export const key = "crk_testkey0123456789";

/** Call it at the top of a test file; what it gives is usable inside tests. */
export const withDouble = () => {
  let double: RelayDouble | undefined;
  before(async () => {
    double = await startRelayDouble();
  });
  after(() => double?.close());
  const relay = (): RelayDouble => double ?? raise();
  const client = (options: Partial<ClientOptions> = {}): Client & { waits: readonly number[] } => {
    const waits: number[] = [];
    const sleep = async (milliseconds: number): Promise<void> => {
      waits.push(milliseconds);
    };
    const made = createClient({ url: relay().url, key, random: () => 0.5, sleep, ...options });
    return { ...made, waits };
  };
  return { relay, client };
};

const raise = (): never => {
  throw new Error("used outside a test");
};
