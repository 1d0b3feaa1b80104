import { likelyArgument, textOf } from "./arguments.ts";
import type { Argument } from "./ast.ts";
import type { Menu } from "./menu-tree.ts";
import { openingWarning } from "./warnings-opening.ts";

/** How a change could cut its owner off, or open the router; undefined when it hardly could. */
export const warningFor = (
  menu: Menu,
  verb: string,
  args: readonly Argument[],
): string | undefined => {
  if (verb === "comment" || verb.startsWith("reset-counters")) {
    return undefined;
  }
  if (firewallMenus.has(menu.path)) {
    return firewallWarning(verb, args);
  }
  const opening = openingWarning(menu, verb, args);
  if (opening !== undefined && menu.path !== "/ip/dns") {
    return opening;
  }
  const known = warnings.find(([paths, verbs]) => paths.has(menu.path) && verbs.has(verb));
  if (known !== undefined) {
    return known[2];
  }
  if (menu.path === "/ip/dns" && likelyText(args, "allow-remote-requests") === "yes") {
    return "The router then answers DNS for anybody who reaches it; drop port 53 from the Internet first.";
  }
  if (opening !== undefined) {
    return opening;
  }
  if (menu.path === "/interface/ethernet" && verb === "cable-test") {
    return "The port loses its link while the cable is measured.";
  }
  if (menu.path.startsWith("/interface")) {
    return interfaceWarning(verb, args);
  }
  return undefined;
};

const firewallWarning = (verb: string, args: readonly Argument[]): string | undefined => {
  const chain = likelyText(args, "chain");
  const given = likelyText(args, "action");
  const action = actions.find((name) => given !== null && name.startsWith(given)) ?? null;
  const input = chain === "input" || chain === "prerouting" || chain === "output";
  if (verb === "add" && !input) {
    return undefined;
  }
  if (verb === "add" && action !== null && rejects.has(action)) {
    return "This can cut you off from the router. Keep a second way in, use safe mode, and let your own address pass before this rule.";
  }
  if (verb === "add" && action === "accept") {
    const bounded = args.some((arg) => bounds.has(arg.name ?? ""));
    return bounded
      ? undefined
      : "This lets anybody reach the router itself. Name where it may come from.";
  }
  if (verb === "add") {
    return undefined;
  }
  return "Changing firewall rules or their order can cut you off from the router, or open it. Keep a second way in and use safe mode.";
};

const interfaceWarning = (verb: string, args: readonly Argument[]): string | undefined => {
  const disables = verb === "disable" || likelyText(args, "disabled") === "yes";
  if (disables || verb === "remove" || verb === "power-cycle") {
    return "If you reach the router over this interface, you are cut off. Keep a second way in and use safe mode.";
  }
  return verb === "set" || verb === "unset"
    ? "If you reach the router over this interface, a wrong value cuts you off. Use safe mode."
    : undefined;
};

const likelyText = (args: readonly Argument[], name: string): string | null =>
  textOf(likelyArgument(args, name)?.value);

const firewallMenus = new Set([
  "/ip/firewall/filter",
  "/ip/firewall/raw",
  "/ipv6/firewall/filter",
  "/ipv6/firewall/raw",
]);
const rejects = new Set(["drop", "reject", "tarpit"]);
const actions = ["accept", ...rejects];
const bounds = new Set(
  "src-address src-address-list in-interface in-interface-list src-mac-address connection-state".split(
    " ",
  ),
);

const alters = new Set(["set", "unset", "remove", "disable"]);
const changes = new Set([...alters, "add", "enable", "move"]);

/** The first that fits counts. */
const warnings: readonly (readonly [ReadonlySet<string>, ReadonlySet<string>, string])[] = [
  [
    new Set(["/ip/address", "/ipv6/address"]),
    alters,
    "If you reach the router at this address, you are cut off. Add the new address first, and use safe mode.",
  ],
  [
    new Set(["/ip/route", "/ipv6/route", "/routing/rule", "/routing/table", "/ip/vrf"]),
    changes,
    "A wrong route cuts the router, and you, off from other networks. Use safe mode.",
  ],
  [
    new Set([
      "/interface/bridge",
      "/interface/bridge/port",
      "/interface/bridge/vlan",
      "/interface/vlan",
    ]),
    changes,
    "Changing the bridge or its ports can cut you off from the router. Keep a second way in and use safe mode.",
  ],
  [
    new Set(["/ip/dhcp-client", "/ipv6/dhcp-client"]),
    new Set([...alters, "release"]),
    "The router can lose its own address and its way to the Internet.",
  ],
  [
    new Set(["/ip/dhcp-server", "/ip/dhcp-server/network", "/ip/pool"]),
    alters,
    "Devices in your network can be left without an address.",
  ],
  [
    new Set(["/ip/firewall/nat", "/ipv6/firewall/nat"]),
    new Set([...alters, "move"]),
    "Without its NAT rule your network can lose the Internet, or a service its way in.",
  ],
  [
    new Set(["/tool/mac-server", "/tool/mac-server/mac-winbox", "/ip/neighbor/discovery-settings"]),
    alters,
    "WinBox may no longer find the router by its MAC address: your last way in when addresses are wrong.",
  ],
  [
    new Set(["/ip/settings", "/ipv6/settings"]),
    alters,
    "This can stop the router from forwarding.",
  ],
  [
    new Set([
      "/interface/list/member",
      "/interface/list",
      "/ip/firewall/address-list",
      "/ipv6/firewall/address-list",
    ]),
    alters,
    "Firewall rules may use this list: you can be cut off. Use safe mode.",
  ],
];
