/**
 * RouterOS 7.15–7.24's menus, one a line: `path kind [verbs…]`. Kinds:
 * `open` may be read by anyone and changed with a code; `secret` shows passwords or keys when printed;
 * `view` may be read, never changed; `sealed` is both; `folder` only holds menus; `closed` is shut with everything
 * below it, but for what is listed there as another kind.
 * Verbs beside the ones every menu has: `+` changes something, `?` watches (and ends with `once`), `-` is shut.
 * Menus that are shut are listed too: an abbreviation must be as ambiguous here as it is on the router.
 */
export const interfaceMenus = `
interface open ?monitor-traffic +reset-counters -blink
interface/6to4 secret
interface/amt open
interface/bonding open ?monitor ?monitor-slaves
interface/bridge open ?monitor
interface/bridge/calea view
interface/bridge/filter open +reset-counters +reset-counters-all
interface/bridge/host open
interface/bridge/mdb open
interface/bridge/mlag open ?monitor
interface/bridge/msti open ?monitor
interface/bridge/nat open +reset-counters +reset-counters-all
interface/bridge/port open ?monitor
interface/bridge/port/mst-override open
interface/bridge/port-controller open
interface/bridge/port-controller/device open
interface/bridge/port-controller/port open
interface/bridge/port-extender open
interface/bridge/settings open
interface/bridge/vlan open
interface/bridge/vlan/mvrp open
interface/detect-internet open
interface/detect-internet/state open
interface/dot1x folder
interface/dot1x/client secret ?monitor
interface/dot1x/server open
interface/dot1x/server/active open
interface/dot1x/server/state open
interface/eoip secret ?monitor
interface/eoipv6 secret ?monitor
interface/ethernet open ?monitor +reset-counters +reset-mac-address +cable-test -blink
interface/ethernet/poe open ?monitor +power-cycle +recovery
interface/ethernet/poe/settings open
interface/ethernet/switch open
interface/ethernet/switch/acl open
interface/ethernet/switch/egress-vlan-tag open
interface/ethernet/switch/egress-vlan-translation open
interface/ethernet/switch/host open
interface/ethernet/switch/ingress-vlan-translation open
interface/ethernet/switch/l3hw-settings open ?monitor
interface/ethernet/switch/port open +reset-counters
interface/ethernet/switch/port-isolation open
interface/ethernet/switch/port-leakage open
interface/ethernet/switch/qos folder
interface/ethernet/switch/rule open
interface/ethernet/switch/trunk open
interface/ethernet/switch/unicast-fdb open
interface/ethernet/switch/vlan open
interface/gre secret
interface/gre6 secret
interface/ipip secret
interface/ipipv6 secret
interface/l2tp-client secret ?monitor
interface/l2tp-ether secret
interface/l2tp-server open ?monitor
interface/l2tp-server/server secret
interface/list open
interface/list/member open
interface/lte secret ?monitor -at-chat -firmware-upgrade -scan -cell-monitor +show-capabilities
interface/lte/apn secret
interface/lte/esim closed
interface/lte/settings open
interface/macsec secret
interface/macsec/profile open
interface/macvlan open
interface/mesh open
interface/mesh/fdb open
interface/mesh/port open
interface/ovpn-client secret ?monitor -import-ovpn-configuration
interface/ovpn-server open ?monitor
interface/ovpn-server/server open -export-client-configuration
interface/ppp-client secret ?monitor -at-chat -info -scan
interface/ppp-server open ?monitor
interface/pppoe-client secret ?monitor -scan
interface/pppoe-server open ?monitor
interface/pppoe-server/server open
interface/pptp-client secret ?monitor
interface/pptp-server open ?monitor
interface/pptp-server/server open
interface/sstp-client secret ?monitor
interface/sstp-server open ?monitor
interface/sstp-server/server open
interface/veth open
interface/virtual-ethernet open
interface/vlan open
interface/vpls open ?monitor
interface/vpnv6 closed
interface/vrrp secret
interface/vxlan open
interface/vxlan/fdb open
interface/vxlan/vteps open
interface/w60g secret ?monitor -align -scan
interface/w60g/station secret
interface/wifi secret ?monitor -scan -sniffer -flat-snoop -frequency-scan -wps-push-button -wps-client -spectral-scan
interface/wifi/aaa open
interface/wifi/access-list secret
interface/wifi/cap open
interface/wifi/capsman open
interface/wifi/capsman/remote-cap open +provision +set-identity -upgrade
interface/wifi/channel open
interface/wifi/configuration secret
interface/wifi/datapath open
interface/wifi/interworking open
interface/wifi/network secret
interface/wifi/provisioning open
interface/wifi/radio open ?monitor +provision -reg-info
interface/wifi/radio/settings open
interface/wifi/registration-table open
interface/wifi/security secret
interface/wifi/security/multi-passphrase secret
interface/wifi/steering open
interface/wifi/steering/neighbor-group open
interface/wireguard secret -wg-import -wg-export
interface/wireguard/peers secret -show-client-config
interface/wireless secret ?monitor -scan -align -frequency-monitor -sniffer -snooper -spectral-scan -spectral-history -wps-client -setup-repeater -reset-configuration
interface/wireless/access-list secret
interface/wireless/align open
interface/wireless/cap open
interface/wireless/channels open
interface/wireless/connect-list open
interface/wireless/info folder
interface/wireless/interworking-profiles open
interface/wireless/manual-tx-power-table open
interface/wireless/nstreme open
interface/wireless/nstreme-dual open
interface/wireless/registration-table open
interface/wireless/security-profiles secret
interface/wireless/sniffer closed
interface/wireless/snooper closed
interface/wireless/wds open
caps-man folder
caps-man/aaa open
caps-man/access-list secret
caps-man/actual-interface-configuration secret
caps-man/channel open
caps-man/configuration secret
caps-man/datapath open
caps-man/interface secret ?monitor -scan
caps-man/manager open
caps-man/manager/interface open
caps-man/provisioning open
caps-man/radio open +provision
caps-man/rates open
caps-man/registration-table open
caps-man/remote-cap open +provision +set-identity -upgrade
caps-man/security secret
zerotier secret
zerotier/controller closed
zerotier/interface open
zerotier/peer open
`;
