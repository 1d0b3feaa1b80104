/** Why a menu is shut, and what its owner can do instead. The longest path that fits counts. */
const reasons: ReadonlyMap<string, string> = new Map([
  ["/user", "who may log in to the router is changed by yourself in WinBox only"],
  ["/user-manager", "accounts are changed by yourself in WinBox only"],
  ["/userman", "accounts are changed by yourself in WinBox only"],
  ["/file", "the router's files can hold backups and keys; use WinBox"],
  ["/disk", "disks can be erased; use WinBox"],
  ["/certificate", "certificates and their keys are handled by yourself in WinBox only"],
  ["/ip/service", "how the router is logged in to is changed by yourself in WinBox only"],
  ["/ip/ssh", "how the router is logged in to is changed by yourself in WinBox only"],
  [
    "/system/script",
    "a stored script runs later, out of sight of this check; give the commands themselves",
  ],
  [
    "/system/scheduler",
    "it runs commands later, out of sight of this check; give the commands themselves",
  ],
  ["/system/reset-configuration", "it erases the router"],
  [
    "/system/reboot",
    "a restart cuts everybody off and ends unsaved work, and nobody may be near if the router does not come back; restart it yourself in WinBox",
  ],
  ["/system/shutdown", "the router would stay off until somebody presses its button"],
  ["/system/backup", "a backup holds every password; make it yourself in WinBox"],
  ["/system/package", "packages are changed by yourself; /system resource print shows the version"],
  [
    "/system/routerboard",
    "the firmware and the boot settings are changed by yourself; print shows them",
  ],
  ["/system/ssh", "it would log in to another machine"],
  ["/system/telnet", "it would log in to another machine"],
  ["/tool/mac-telnet", "it would log in to another machine"],
  ["/tool/fetch", "it could send the router's data anywhere, or bring a file in"],
  ["/tool/e-mail", "it could send the router's data anywhere"],
  ["/tool/sms", "it could send the router's data anywhere"],
  ["/tool/sniffer", "it records other people's traffic"],
  [
    "/tool/torch",
    "it watches traffic until it is stopped; use /interface monitor-traffic with once",
  ],
  ["/tool/flood-ping", "it can overload another machine; use /ping with a count"],
  ["/tool/ping-speed", "it can overload another machine; use /ping with a count"],
  ["/tool/bandwidth-test", "it can fill the line and cut people off"],
  ["/tool/traffic-generator", "it can fill the line and cut people off"],
  ["/radius", "it holds the keys of other servers"],
  ["/snmp", "its communities are passwords"],
  ["/container", "it runs foreign programs on the router"],
  ["/environment", "global variables can hold secrets, this relay's own among them"],
  ["/system/device-mode", "it decides what the router may do at all"],
  ["/safe-mode", "safe mode belongs to the person at the console"],
]);

/** The rest of the sentence "… is not done from here:". */
export const whyClosed = (path: string): string => {
  for (let at = path; at.length > 1; at = at.slice(0, at.lastIndexOf("/"))) {
    const reason = reasons.get(at);
    if (reason !== undefined) {
      return reason;
    }
  }
  return "it can open, break or expose the router; do it yourself in WinBox";
};
