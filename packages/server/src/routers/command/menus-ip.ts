/** Addresses and firewalls. menus-interface.ts tells how a line is read. */
export const ipMenus = `
ip folder
ip/address open
ip/arp open
ip/cloud secret +force-update
ip/cloud/advanced open
ip/cloud/back-to-home-file closed
ip/cloud/back-to-home-files closed
ip/cloud/back-to-home-user closed
ip/cloud/back-to-home-users closed
ip/dhcp-client open +release +renew
ip/dhcp-client/option open
ip/dhcp-relay open
ip/dhcp-server open -setup
ip/dhcp-server/alert open +reset-alert
ip/dhcp-server/config open
ip/dhcp-server/lease open +make-static +check-status +send-reconfigure
ip/dhcp-server/matcher open
ip/dhcp-server/network open
ip/dhcp-server/option open
ip/dhcp-server/option/sets open
ip/dns open
ip/dns/adlist open +reload +pause
ip/dns/cache open +flush
ip/dns/cache/all open
ip/dns/forwarders open
ip/dns/static open
ip/firewall folder
ip/firewall/address-list open
ip/firewall/calea view
ip/firewall/connection open
ip/firewall/connection/tracking open
ip/firewall/filter open +reset-counters +reset-counters-all
ip/firewall/layer7-protocol open
ip/firewall/mangle open +reset-counters +reset-counters-all
ip/firewall/nat open +reset-counters +reset-counters-all
ip/firewall/raw open +reset-counters +reset-counters-all
ip/firewall/service-port open
ip/hotspot open -setup +reset-html
ip/hotspot/active open +login
ip/hotspot/cookie secret
ip/hotspot/host open +make-binding
ip/hotspot/ip-binding open
ip/hotspot/profile secret
ip/hotspot/service-port open
ip/hotspot/user secret +reset-counters
ip/hotspot/user/profile open
ip/hotspot/walled-garden open +reset-counters
ip/hotspot/walled-garden/ip open
ip/ipsec folder
ip/ipsec/active-peers open +kill-connections
ip/ipsec/identity secret
ip/ipsec/installed-sa secret +flush
ip/ipsec/key closed
ip/ipsec/mode-config secret
ip/ipsec/peer open
ip/ipsec/policy open
ip/ipsec/policy/group open
ip/ipsec/profile open
ip/ipsec/proposal open
ip/ipsec/remote-peers open
ip/ipsec/settings open
ip/ipsec/statistics open
ip/kid-control open +pause +resume
ip/kid-control/device open +reset-counters
ip/media closed
ip/nat-pmp open
ip/nat-pmp/interfaces open
ip/neighbor open
ip/neighbor/discovery-settings open
ip/packing open
ip/pool open
ip/pool/used open
ip/proxy closed
ip/reverse-proxy closed
ip/route open ?check
ip/route/rule open
ip/route/vrf open
ip/service view
ip/settings open
ip/smb closed
ip/socks closed
ip/socksify closed
ip/ssh closed
ip/tftp closed
ip/traffic-flow open
ip/traffic-flow/ipfix open
ip/traffic-flow/target open
ip/upnp open
ip/upnp/interfaces open
ip/vrf open
ipv6 folder
ipv6/address open
ipv6/dhcp-client open +release +renew
ipv6/dhcp-client/option open
ipv6/dhcp-relay open
ipv6/dhcp-relay/option open
ipv6/dhcp-relay/routes open
ipv6/dhcp-server open
ipv6/dhcp-server/binding open +make-static
ipv6/dhcp-server/option open
ipv6/dhcp-server/option/sets open
ipv6/firewall folder
ipv6/firewall/address-list open
ipv6/firewall/connection open
ipv6/firewall/filter open +reset-counters +reset-counters-all
ipv6/firewall/mangle open +reset-counters +reset-counters-all
ipv6/firewall/nat open +reset-counters +reset-counters-all
ipv6/firewall/raw open +reset-counters +reset-counters-all
ipv6/nd open
ipv6/nd/prefix open
ipv6/nd/prefix/default open
ipv6/nd/proxy open
ipv6/neighbor open
ipv6/pool open
ipv6/pool/used open
ipv6/route open ?check
ipv6/settings open
`;
