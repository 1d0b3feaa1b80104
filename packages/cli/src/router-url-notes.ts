import { BlockList, isIP } from "node:net";

/** What routeros/modules/claude-relay.rsc takes for its own network's: elsewhere it speaks https only. */
const local = new BlockList();
local.addSubnet("127.0.0.0", 8, "ipv4");
local.addSubnet("10.0.0.0", 8, "ipv4");
local.addSubnet("172.16.0.0", 12, "ipv4");
local.addSubnet("192.168.0.0", 16, "ipv4");
local.addSubnet("169.254.0.0", 16, "ipv4");
local.addAddress("::1", "ipv6");
local.addSubnet("fc00::", 7, "ipv6");
local.addSubnet("fe80::", 10, "ipv6");

/**
 * What is probably wrong with an address that a router is to reach the relay at.
 * @param routerUrl as it was checked: http or https
 * @param relayUrl where the relay's other callers reach it
 */
export const routerUrlNotes = (routerUrl: string, relayUrl: string): readonly string[] => {
  const url = new URL(routerUrl);
  return [
    url.protocol === "http:" && httpNote(url),
    url.port !== "" &&
      url.port === new URL(relayUrl).port &&
      `Port ${url.port} is the relay's for apps and devices, which serves no routers: theirs is 8899, unless CLAUDE_RELAY_CLOUD_PORT says otherwise.`,
    url.port === "" &&
      url.protocol === "http:" &&
      "The address names no port, so it is 80: routers are served at 8899, unless CLAUDE_RELAY_CLOUD_PORT says otherwise.",
  ].filter((note) => note !== false);
};

const httpNote = ({ hostname }: URL): string | false => {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const family = isIP(host);
  const remedy =
    "use https (CLOUD_TLS_CERT on the relay), a VPN or a LAN address; or set ClaudeRelayAllowHTTP true on the router.";
  if (family === 0) {
    return (
      isPublicName(host) &&
      `Plain http is refused by the router if ${host} leads to a public address: ${remedy}`
    );
  }
  return (
    !local.check(host, family === 6 ? "ipv6" : "ipv4") &&
    `Plain http to ${host}, a public address, is refused by the router: ${remedy}`
  );
};

/** Where a name leads is the router's to find out; these lead nowhere but home. */
const isPublicName = (host: string): boolean =>
  host.includes(".") && !/\.(lan|local|localdomain|home|internal|home\.arpa|test)$/.test(host);
