import { networkInterfaces } from "node:os";
import { canonicalAddress } from "./public-address.ts";

/**
 * Whether an address is one of this machine's. On a server with a public address such a connection stays inside:
 * it passes the cloud's firewall by and reaches services that trust the machine itself.
 */
export const isOwnAddress = (address: string): boolean => {
  const wanted = canonicalAddress(address);
  return Object.values(networkInterfaces()).some((list) =>
    list?.some((own) => canonicalAddress(own.address) === wanted),
  );
};
