import type { Argument } from "./ast.ts";
import type { Menu } from "./menu-tree.ts";

/** How a change could cut its owner off, or open the router; undefined when it hardly could. */
export function warningFor(
  menu: Menu,
  verb: string,
  args: readonly Argument[],
): string | undefined {
  if (verb === "comment" || verb.startsWith("reset-counters")) {
    return undefined;
  }
  if (FIREWALL.has(menu.path)) {
    return firewallWarning(verb, args);
  }
  const known = WARNINGS.find(([paths, verbs]) => paths.has(menu.path) && verbs.has(verb));
  if (known !== undefined) {
    return known[2];
  }
  if (menu.path === "/ip/dns" && givenFor(args, "allow-remote-requests") === "yes") {
    return "The router then answers DNS for anybody who reaches it; drop port 53 from the Internet first.";
  }
  if (menu.path.startsWith("/interface")) {
    return interfaceWarning(verb, args);
  }
  return undefined;
}

function firewallWarning(verb: string, args: readonly Argument[]): string | undefined {
  const chain = givenFor(args, "chain");
  const action = givenFor(args, "action");
  const input = chain === "input" || chain === "prerouting" || chain === "output";
  if (verb === "add" && !input) {
    return undefined;
  }
  if (verb === "add" && action !== null && REJECTS.has(action)) {
    return "This can cut you off from the router. Keep a second way in, use safe mode, and let your own address pass before this rule.";
  }
  if (verb === "add" && action === "accept") {
    const bounded = args.some((arg) => BOUNDS.has(arg.name ?? ""));
    return bounded
      ? undefined
      : "This lets anybody reach the router itself. Name where it may come from.";
  }
  if (verb === "add") {
    return undefined;
  }
  return "Changing firewall rules or their order can cut you off from the router, or open it. Keep a second way in and use safe mode.";
}

function interfaceWarning(verb: string, args: readonly Argument[]): string | undefined {
  const disables = verb === "disable" || givenFor(args, "disabled") === "yes";
  if (disables || verb === "remove" || verb === "power-cycle") {
    return "If you reach the router over this interface, you are cut off. Keep a second way in and use safe mode.";
  }
  return verb === "set" || verb === "unset"
    ? "If you reach the router over this interface, a wrong value cuts you off. Use safe mode."
    : undefined;
}

/** Null when it is missing or not known before the router runs it. */
function givenFor(args: readonly Argument[], name: string): string | null {
  const value = args.find((arg) => arg.name === name)?.value;
  return value?.kind === "word" || value?.kind === "string" ? value.text : null;
}

const FIREWALL = new Set([
  "/ip/firewall/filter",
  "/ip/firewall/raw",
  "/ipv6/firewall/filter",
  "/ipv6/firewall/raw",
]);
const REJECTS = new Set(["drop", "reject", "tarpit"]);
const BOUNDS = new Set(
  "src-address src-address-list in-interface in-interface-list src-mac-address connection-state".split(
    " ",
  ),
);

const ALTERS = new Set(["set", "unset", "remove", "disable"]);
const ANY = new Set([...ALTERS, "add", "enable", "move"]);

/** The first that fits counts. */
const WARNINGS: readonly (readonly [ReadonlySet<string>, ReadonlySet<string>, string])[] = [
  [
    new Set(["/ip/address", "/ipv6/address"]),
    ALTERS,
    "If you reach the router at this address, you are cut off. Add the new address first, and use safe mode.",
  ],
  [
    new Set(["/ip/route", "/ipv6/route", "/routing/rule", "/routing/table", "/ip/vrf"]),
    ANY,
    "A wrong route cuts the router, and you, off from other networks. Use safe mode.",
  ],
  [
    new Set([
      "/interface/bridge",
      "/interface/bridge/port",
      "/interface/bridge/vlan",
      "/interface/vlan",
    ]),
    ANY,
    "Changing the bridge or its ports can cut you off from the router. Keep a second way in and use safe mode.",
  ],
  [
    new Set(["/ip/dhcp-client", "/ipv6/dhcp-client"]),
    new Set([...ALTERS, "release"]),
    "The router can lose its own address and its way to the Internet.",
  ],
  [
    new Set(["/ip/dhcp-server", "/ip/dhcp-server/network", "/ip/pool"]),
    ALTERS,
    "Devices in your network can be left without an address.",
  ],
  [
    new Set(["/ip/firewall/nat", "/ipv6/firewall/nat"]),
    new Set([...ALTERS, "move"]),
    "Without its NAT rule your network can lose the Internet, or a service its way in.",
  ],
  [
    new Set(["/tool/mac-server", "/tool/mac-server/mac-winbox", "/ip/neighbor/discovery-settings"]),
    ALTERS,
    "WinBox may no longer find the router by its MAC address: your last way in when addresses are wrong.",
  ],
  [
    new Set(["/ip/settings", "/ipv6/settings"]),
    ALTERS,
    "This can stop the router from forwarding.",
  ],
  [
    new Set(["/interface/list/member", "/interface/list", "/ip/firewall/address-list"]),
    ALTERS,
    "Firewall rules may use this list: you can be cut off. Use safe mode.",
  ],
];
