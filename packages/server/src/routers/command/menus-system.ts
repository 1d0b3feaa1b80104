/** The router itself, its tools, and what is shut. menus-interface.ts tells how a line is read. */
export const systemMenus = `
ppp folder
ppp/aaa closed
ppp/active open
ppp/l2tp-secret secret
ppp/profile open
ppp/secret secret
queue folder
queue/interface open
queue/simple open +reset-counters +reset-counters-all
queue/tree open +reset-counters +reset-counters-all
queue/type open
log open +debug +error +info +warning
system folder
system/backup closed
system/clock open
system/clock/manual open
system/console closed
system/default-configuration closed
system/device-mode closed
system/gps open ?monitor
system/hardware view
system/health open
system/health/settings open
system/history secret
system/identity open
system/leds open
system/leds/settings open
system/license view -renew -update-now -generate-new-id -import-key -output
system/logging open
system/logging/action open
system/note open
system/ntp folder
system/ntp/client open
system/ntp/client/servers open
system/ntp/key secret
system/ntp/monitor-peers view
system/ntp/server open
system/package view -apply-changes -downgrade -uninstall -unschedule
system/package/local-update closed
system/package/update closed
system/ptp open ?monitor
system/reboot closed
system/regulatory closed
system/reset-configuration closed
system/resource view ?monitor
system/resource/cpu view
system/resource/irq view
system/resource/irq/rps view
system/resource/pci view
system/resource/usb view -power-reset
system/resource/usb/settings view
system/routerboard view -upgrade
system/routerboard/settings view
system/rtrace closed
system/scheduler sealed
system/script closed
system/sleep closed
system/serial-terminal closed
system/shutdown closed
system/ssh closed
system/ssh-exec closed
system/sup-output closed
system/swos closed
system/telnet closed
system/upgrade closed
system/ups secret ?monitor -rtc
system/usb closed
system/watchdog open
tool folder
tool/bandwidth-server open
tool/bandwidth-server/session open
tool/bandwidth-test closed
tool/calea closed
tool/dns-update closed
tool/e-mail closed
tool/fetch closed
tool/flood-ping closed
tool/graphing open
tool/graphing/interface open
tool/graphing/queue open
tool/graphing/resource open
tool/ip-scan closed
tool/mac-scan closed
tool/mac-server open
tool/mac-server/mac-winbox open
tool/mac-server/ping open
tool/mac-server/sessions open
tool/mac-telnet closed
tool/netwatch open
tool/ping-speed closed
tool/romon secret
tool/romon/port secret
tool/sms closed
tool/sniffer closed
tool/snmp-get closed
tool/snmp-walk closed
tool/speed-test closed
tool/torch closed
tool/traffic-generator closed
tool/traffic-monitor open
tool/wol closed
app closed
certificate sealed -add-file -add-scep -card-reinstall -card-verify -create-certificate-request -enable-ssl-certificate -export-certificate -import -issued-revoke -reset-certificate-cache -scep-renew -sign -sign-certificate-request -verify
certificate/builtin closed
certificate/crl closed
certificate/scep-server closed
certificate/settings closed
console closed
container closed
disk sealed -blink -copy -eject-drive -format-drive -reset-counters -rescan -test -nvme-discover -raid-scrub ?monitor-traffic
disk/btrfs closed
disk/profile closed
disk/settings closed
dude closed
environment closed
file closed
iot closed
lora closed
openflow closed
partitions closed
port closed
radius closed
rsync-daemon closed
safe-mode closed
snmp closed
special-login closed
task closed
terminal closed
tr069-client closed
user closed
user/aaa closed
user/active view -request-logout
user/group closed
user/settings closed
user/ssh-keys closed
user-manager closed
userman closed
virtual closed
`;
