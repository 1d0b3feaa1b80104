import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { isSpecial } from "./special-ranges.ts";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Whether an address belongs to the public internet. Denies by default: it must be an address in plain notation
 * (no zone), `unicast` to ipaddr.js, and in none of our own ranges. An IPv4-mapped address counts as the IPv4
 * address in it; every other form with an IPv4 address inside (NAT64, 6to4, Teredo, ISATAP, …) is denied whole.
 */
export const isPublicAddress = (address: string): boolean => {
  const parsed = unwrap(address);
  return (
    parsed !== null &&
    parsed.range() === "unicast" &&
    !isSpecial(parsed.toString(), parsed.kind()) &&
    !isIsatap(parsed)
  );
};

/** One spelling for every spelling of an address, to compare by; null when it is none. */
export const canonicalAddress = (address: string): string | null =>
  unwrap(address)?.toString() ?? null;

const unwrap = (address: string): Address | null => {
  // ipaddr.js also reads octal, hex and short IPv4 and keeps zones: none has a place here.
  const family = isIP(address);
  if (family === 0 || address.includes("%")) {
    return null;
  }
  const parsed = ipaddr.parse(family === 6 ? hexGroups(address) : address);
  return parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress()
    ? parsed.toIPv4Address()
    : parsed;
};

/** ipaddr.js reads `::8.8.8.8`, which getaddrinfo writes for ::/96, as if it were mapped; in hex it does not. */
const hexGroups = (address: string): string =>
  new URL(`http://[${address}]/`).hostname.slice(1, -1);

/** RFC 5214: an interface id of [0200:]5efe and an IPv4 address, which routers of that kind unwrap. */
const isIsatap = (address: Address): boolean =>
  address instanceof ipaddr.IPv6 &&
  address.parts[5] === 0x5efe &&
  (address.parts[4] === 0 || address.parts[4] === 0x0200);
