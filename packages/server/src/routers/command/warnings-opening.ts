import { likelyArgument, textOf } from "./arguments.ts";
import type { Argument } from "./ast.ts";
import type { Menu } from "./menu-tree.ts";

/** How a change opens the router or its network to others, or tells others of it; undefined when it hardly does. */
export const openingWarning = (
  menu: Menu,
  verb: string,
  args: readonly Argument[],
): string | undefined => {
  if (verb !== "add" && verb !== "set" && verb !== "enable") {
    return undefined;
  }
  if (addressLists.has(menu.path)) {
    return listWarning(args);
  }
  if (nat.has(menu.path)) {
    return natWarning(args);
  }
  const given = (wanted: string): boolean => {
    const [name = "", value] = wanted.split("=");
    const written = likelyArgument(args, name);
    return written !== undefined && (value === undefined || isOrMayBe(args, name, value));
  };
  return openings.find(
    ([paths, when]) =>
      paths.has(menu.path) && (when.length === 0 || verb === "enable" || when.some(given)),
  )?.[2];
};

const likelyText = (args: readonly Argument[], name: string): string | null =>
  textOf(likelyArgument(args, name)?.value);

/** What is not written out may be anything. */
const isOrMayBe = (args: readonly Argument[], name: string, value: string): boolean => {
  const text = likelyText(args, name);
  return text === null || value.startsWith(text);
};

const listWarning = (args: readonly Argument[]): string => {
  const address = likelyText(args, "address");
  return address !== null && everybody.test(address)
    ? "This puts everybody on the list: a firewall rule that uses it then lets all in, or keeps all out, you too."
    : "Firewall rules may use this list: it can let others in, or cut you off.";
};

const everybody = /^(?:.*\/0|0\.0\.0\.0(?:-.*)?|::|any)$/;

const natWarning = (args: readonly Argument[]): string | undefined => {
  const action = likelyText(args, "action");
  if (action === "accept") {
    return "What fits this rule passes the NAT rules after it by: it can leave with your inner addresses, or lose the Internet.";
  }
  if (likelyText(args, "chain") === "srcnat" && action !== null && !inward.has(action)) {
    return undefined;
  }
  return "This can open a device in your network to whoever it fits. Name where it may come from (src-address, in-interface-list) and the port.";
};

const inward = new Set(["dst-nat", "netmap", "redirect", "same", "jump"]);

const addressLists = new Set(["/ip/firewall/address-list", "/ipv6/firewall/address-list"]);
const nat = new Set(["/ip/firewall/nat", "/ipv6/firewall/nat"]);

const paths = (text: string): ReadonlySet<string> => new Set(text.split(" "));

const everyLan = "Then the router can be reached by its MAC address from all these interfaces.";
const vpnServer =
  "This opens a way in from outside: whoever has a name and password for it gets into your network.";

/** Menus, the values any of which it takes (none: every change), and what to say. The first that fits counts. */
const openings: readonly (readonly [ReadonlySet<string>, readonly string[], string])[] = [
  [
    paths("/interface/list /interface/list/member"),
    [],
    "Firewall rules may use this list: this can let others in, or cut you off. Use safe mode.",
  ],
  [
    paths("/ip/cloud"),
    ["back-to-home-vpn"],
    "This opens a VPN into your network over MikroTik's servers.",
  ],
  [
    paths("/ip/upnp /ip/nat-pmp"),
    ["enabled=yes"],
    "Any device in your network can then open ports to the Internet by itself.",
  ],
  [
    paths("/ip/upnp/interfaces /ip/nat-pmp/interfaces"),
    [],
    "Devices behind this interface can open ports to the Internet by themselves.",
  ],
  [
    paths("/tool/romon"),
    ["enabled=yes"],
    "Other routers nearby can then be used to log in to this one, past its firewall.",
  ],
  [
    paths("/tool/mac-server /tool/mac-server/mac-winbox"),
    [
      "allowed-interface-list=all",
      "allowed-interface-list=static",
      "allowed-interface-list=dynamic",
    ],
    `${everyLan} The Internet side is one of them.`,
  ],
  [
    paths("/ip/neighbor/discovery-settings"),
    ["discover-interface-list=all", "discover-interface-list=static"],
    "The router then tells its name and version on all these interfaces, to the Internet side too.",
  ],
  [
    paths(
      "/interface/l2tp-server/server /interface/pptp-server/server /interface/sstp-server/server /interface/ovpn-server/server /interface/pppoe-server/server",
    ),
    [],
    vpnServer,
  ],
  [
    paths(
      "/ppp/secret /ppp/l2tp-secret /interface/wireguard/peers /ip/ipsec/identity /ip/hotspot/user",
    ),
    [],
    "Whoever has this name or key can then get into your network.",
  ],
  [
    paths(
      "/interface/eoip /interface/eoipv6 /interface/gre /interface/gre6 /interface/ipip /interface/ipipv6 /interface/vxlan /interface/vxlan/vteps /interface/6to4 /zerotier /zerotier/interface",
    ),
    [],
    "This joins your network to another one; what comes from there passes no outer firewall.",
  ],
  [
    paths("/ip/hotspot/ip-binding /ip/hotspot/walled-garden /ip/hotspot/walled-garden/ip"),
    [],
    "This lets devices past the hotspot's login.",
  ],
  [
    paths("/ip/dns"),
    ["servers", "use-doh-server"],
    "All names are then looked up there: whoever runs it sees where your devices go, and can send them elsewhere.",
  ],
  [
    paths("/ip/dns/static /ip/dns/forwarders"),
    [],
    "Devices that ask the router for this name are sent where this says.",
  ],
  [
    paths("/ip/dhcp-server/network"),
    ["dns-server", "gateway", "next-server", "dhcp-option"],
    "Devices in your network then send their traffic or their look-ups there.",
  ],
  [
    paths("/ip/traffic-flow /ip/traffic-flow/target"),
    [],
    "This tells another machine who in your network talks with whom.",
  ],
  [
    paths("/system/logging/action"),
    ["target=remote", "remote"],
    "This sends the router's log to another machine.",
  ],
  [
    paths("/system/watchdog"),
    ["watch-address"],
    "The router restarts whenever this address does not answer.",
  ],
  [
    paths(
      "/interface/ethernet/switch /interface/ethernet/switch/port /interface/ethernet/switch/rule /interface/ethernet/switch/acl /interface/ethernet/switch/host",
    ),
    "mirror mirror-source mirror-target mirror-to mirror-ingress mirror-egress mirror-ingress-target mirror-egress-target".split(
      " ",
    ),
    "This copies other people's traffic to a port.",
  ],
  [
    paths("/tool/bandwidth-server"),
    ["enabled=yes", "authenticate=no"],
    "Others can then fill your line and keep the router busy.",
  ],
];
