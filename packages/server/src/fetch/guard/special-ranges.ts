/**
 * Address ranges that are not the public internet, written out: the second layer beside ipaddr.js.
 * IANA special-purpose registries (RFC 6890 and successors), and what clouds hide behind public-looking addresses.
 */
import { BlockList } from "node:net";

const ipv4Ranges = [
  "0.0.0.0/8", // "this network", RFC 791
  "10.0.0.0/8", // private, RFC 1918
  "100.64.0.0/10", // carrier-grade NAT, RFC 6598; Alibaba's metadata 100.100.100.200
  "127.0.0.0/8", // loopback
  "168.63.129.16/32", // Azure's host agent
  "169.254.0.0/16", // link-local; most clouds' metadata
  "172.16.0.0/12", // private
  "192.0.0.0/24", // IETF protocol assignments; Oracle's metadata 192.0.0.192
  "192.0.2.0/24", // documentation
  "192.31.196.0/24", // AS112
  "192.52.193.0/24", // AMT
  "192.88.99.0/24", // 6to4 relays, deprecated
  "192.168.0.0/16", // private
  "192.175.48.0/24", // AS112
  "198.18.0.0/15", // benchmarking
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, and broadcast
] as const;

const ipv6Ranges = [
  // Only 2000::/3 is global unicast (RFC 4291). The rest: loopback, ::/96, mapped, NAT64, discard, ULA, …
  "::/3",
  "4000::/2",
  "8000::/1",
  "2001::/23", // IETF protocol assignments: Teredo, benchmarking, ORCHID, …
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4
  "2620:4f:8000::/48", // AS112
  "3ffe::/16", // 6bone, given back
  "3fff::/20", // documentation
] as const;

const listOf = (ranges: readonly string[], family: "ipv4" | "ipv6"): BlockList => {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = "", bits] = range.split("/");
    list.addSubnet(network, Number(bits), family);
  }
  return list;
};

// Two lists: in one, Node would match IPv4 addresses against ::/3 through their mapped form.
const ipv4List = listOf(ipv4Ranges, "ipv4");
const ipv6List = listOf(ipv6Ranges, "ipv6");

/** Whether an address, already unwrapped, lies in a range of the list. */
export const isSpecial = (address: string, family: "ipv4" | "ipv6"): boolean =>
  family === "ipv4" ? ipv4List.check(address, "ipv4") : ipv6List.check(address, "ipv6");
