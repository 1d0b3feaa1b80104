const lines = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");

/** What owners ask for every day, and which must go without a code. */
export const ordinaryReads: readonly string[] = lines(String.raw`
/ip address print
/ip/address/print
/ip/address print
/ip address/print
ip address print
/ ip address print
/ip addr pri
/ip address print detail
/ip address print terse without-paging
/ip address print where interface=bridge
/ip address print where interface="bridge" and disabled=no
/ip address print where address~"^192\\.168\\." && !disabled
/ip address print where !dynamic
/ip address print count-only
/ip address print count-only where disabled=no
/ip address print proplist=address,interface
/ip address export
/ip address get 0 address
/ip address get [find interface=ether1] address
/ip address; print
/ip address { print }
/ip address .. route print
/ip/address/../route/print
/ip route print where active
/ip route print detail where dst-address=0.0.0.0/0
/ip route print where dst-address in 10.0.0.0/8
/ip route check 8.8.8.8 once
/ip arp print
/ip dns print
/ip dns cache print
/ip dns static print where name~"lan"
/ip dhcp-server print
/ip dhcp-server lease print
/ip dhcp-server lease print where status=bound
/ip dhcp-server lease print where host-name~"phone"
/ip dhcp-server network print
/ip dhcp-client print
/ip dhcp-client print detail proplist=interface,status,address
/tool netwatch get 0 host
/interface/monitor-traffic ether1 duration=5s
/ping 8.8.8.8 count=5 do-not-fragment size=1472
/tool netwatch print where status = down
/ping fe80::1%ether1 count=4
/ping 64:ff9b::808:808 count=4
/ping 10.0.0.1 count=4
/ping 00:11:22:33:44:55 count=4
/ip pool print
/ip pool used print
/ip firewall filter print
/ip firewall filter print stats
/ip firewall filter print chain=input
/ip firewall filter print where chain=forward and action=drop
/ip firewall nat print
/ip firewall mangle print
/ip firewall raw print
/ip firewall address-list print where list=blocked
/ip firewall connection print count-only
/ip firewall connection print where dst-address~":443"
/ip firewall export
/ip neighbor print
/ip settings print
/ip cloud get public-address
/ip hotspot active print
/ip ipsec active-peers print
/ip ipsec policy print
/ip upnp print
/ipv6 address print
/ipv6 route print
/ipv6 neighbor print
/ipv6 firewall filter print
/ipv6 route print where dst-address=::/0
/interface print
/interface print stats
/interface print where running
/interface print where name~"ether" || type="bridge"
/interface ethernet print
/interface ethernet monitor ether1 once
/interface ethernet poe print
/interface monitor-traffic ether1 once
/interface bridge print
/interface bridge port print
/interface bridge host print where on-interface=ether2
/interface bridge vlan print
/interface vlan print
/interface list print
/interface list member print
/interface wifi registration-table print
/interface wireless registration-table print
/interface wireguard print proplist=name,listen-port,public-key
/interface wireguard peers print proplist=name,current-endpoint-address,last-handshake
/interface pppoe-client monitor pppoe-out1 once
/interface get ether1 running
/ppp active print
/ppp secret print proplist=name,profile
/ppp secret print count-only
/ppp secret find
/ppp profile print proplist=name,local-address
/queue simple print
/queue tree print stats
/routing ospf neighbor print
/routing bgp session print
/routing table print
/system identity print
/system identity get name
/system resource print
/system resource get cpu-load
/system resource cpu print
/system clock print
/system health print
/system routerboard print
/system ntp client print
/system logging print
/system note print
/log print
log print
/log print where message~"login failure"
/log print where topics~"error" and time>1h
/tool netwatch print
/tool graphing print
/ping 8.8.8.8 count=4
/ping address=8.8.8.8 count=4 size=1400
/ping example.com count=3
/ping 2001:db8::1 count=2
/tool traceroute 8.8.8.8 count=3
:resolve example.com
:put "hello"
:put 5
:put (1 + 2 * 3)
:put ("a" . "b")
:put [/system identity get name]
:put [:len [/ip firewall connection find]]
:put "cpu $[/system resource get cpu-load]%"
:put ([/system resource get free-memory] / 1024 / 1024)
:put [:pick "abcdef" 1 3]
:put [:tostr [/ip address find]]
:local name [/system identity get name]; :put "I am $name"
:local list {1;2;3}; :put [:len $list]
:local map {"a"=1;"b"=2}; :put ($map->"a")
:foreach i in=[/ip address find] do={:put [/ip address get $i address]}
:foreach k,v in={"a"=1} do={:put "$k $v"}
:foreach i in=[/interface find where running] do={:local n [/interface get $i name]; :put $n}
:for i from=1 to=5 do={:put $i}
:if ([:len [/ip route find where dst-address=0.0.0.0/0]] = 0) do={:put "no way out"} else={:put "fine"}
:do {:put [/system health get temperature]} on-error={:put "none"}
:onerror e in={:put [/system health get temperature]} do={:put $e}
:time {/ip route print}
:put [:convert "abc" to=base64]
:put [:timestamp]
:put "caf\C3\A9 \$5 \"q\""
:put "price: \$5"
{ :local a 1; :put $a }
/system package print
/system license print
/ip service print
/ip service print where !disabled
/user active print
/disk print proplist=slot,size,free
/certificate print proplist=name,common-name,invalid-after
/certificate print count-only
/system scheduler print proplist=name,next-run,run-count
/interface wifi print proplist=name,configuration.ssid
/interface wireless print proplist=name,ssid,frequency
/ip cloud print proplist=public-address,dns-name
/system history print proplist=action,by,time
/tool profile duration=5s
/tool profile duration=5s cpu=all
/ping 8.8.8.8 count=20 interval=0.2
/ping 8.8.8.8 count=20 interval=200ms
:ping 8.8.8.8 count=4
:put [:resolve example.com]
/tool traceroute 8.8.8.8 count=1 max-hops=20
/ping 8.8.8.8 count=2; /ping 1.1.1.1 count=2; :resolve example.com
/ip route print; /ping 8.8.8.8 count=3
:put [:range 0 10]
:foreach i in=[:range 1 5] do={:put $i}
:put [:rndstr length=16]
:put [:rndstr]
:for i from=1 to=5 do={:foreach j in={1;2} do={:put "$i $j"}}
:for i from=1 to=3 do={/system resource print}
:if ([/interface get ether1 running]) do={:put "up"} else={:put "down"}
:local up [/interface get ether1 running]; :if $up do={:put "up"}
:foreach name in={"ether1";"ether2"} do={:put [/interface get $name running]}
/interface monitor-traffic ether1 once do={:put 1}
/interface monitor-traffic [find running] once
`);

export const ordinaryWrites: readonly string[] = lines(String.raw`
/ip address add address=192.168.88.1/24 interface=bridge
/ip address add address=10.0.0.1/24 interface=ether2 comment="uplink to \"office\""
/ip address remove [find address="10.0.0.1/24"]
/ip address disable 0
/ip address set [find interface=ether2] disabled=yes
/ip addr rem 0
/ip address comment 0 "x"
/ip route add dst-address=0.0.0.0/0 gateway=192.168.88.254
/ip route add dst-address=10.1.0.0/16 gateway=10.0.0.2%ether1 distance=2
/ip route remove 0
/ip dns set servers=1.1.1.1,8.8.8.8
/ip dns set servers=1.1.1.1 allow-remote-requests=yes
/ip dns cache flush
/ip dns static add name=nas.lan address=192.168.88.5
/ip dhcp-server lease make-static 0
/ip dhcp-server lease add address=192.168.88.10 mac-address=00:11:22:33:44:55
/ip dhcp-server network set 0 dns-server=192.168.88.1
/ip dhcp-client renew 0
/ip dhcp-client release 0
/ip pool add name=guests ranges=10.9.0.2-10.9.0.254
/ip firewall filter add chain=input action=drop
/ip firewall filter add chain=input protocol=tcp dst-port=22 src-address=!10.0.0.0/8 action=drop
/ip firewall filter add chain=input action=accept
/ip firewall filter add chain=forward action=accept connection-state=established,related
/ip firewall filter add chain=forward action=drop in-interface-list=!LAN place-before=0
/ip firewall filter disable [find comment="x"]
/ip firewall filter move 5 0
/ip firewall filter reset-counters-all
/ip firewall nat add chain=srcnat action=masquerade out-interface-list=WAN
/ip firewall nat add chain=dstnat protocol=tcp dst-port=8080 action=dst-nat to-addresses=192.168.88.5 to-ports=80
/ip firewall nat remove [find comment=old]
/ip firewall mangle add chain=prerouting action=mark-routing new-routing-mark=wan2
/ip firewall address-list add list=blocked address=203.0.113.9 timeout=1d
/ip firewall connection remove [find]
/ip neighbor discovery-settings set discover-interface-list=LAN
/ip settings set ip-forward=yes
/ipv6 address add address=2001:db8::1/64 interface=bridge
/ipv6 route add dst-address=::/0 gateway=fe80::1%ether1
/ipv6 firewall filter add chain=input action=drop
/interface disable ether3
/interface enable ether3
/interface set ether3 disabled=yes
/interface ethernet set ether1 mtu=1400
/interface ethernet poe power-cycle ether5 duration=5s
/interface bridge add name=bridge2
/interface bridge port add bridge=bridge interface=ether4
/interface bridge port remove [find interface=ether4]
/interface bridge vlan add bridge=bridge tagged=ether1 vlan-ids=10
/interface vlan add name=vlan10 vlan-id=10 interface=bridge
/interface list member add list=LAN interface=vlan10
/interface wireguard add name=wg0 listen-port=13231
/interface wireguard peers add interface=wg0 public-key="yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=" allowed-address=10.9.0.2/32
/interface wifi set wifi1 configuration.ssid="Home Sweet Home"
/ppp secret add name=bob password="x y" service=l2tp
/ppp secret print
/ppp secret remove bob
/ppp active remove 0
/queue simple add name=guests target=10.9.0.0/24 max-limit=10M/10M
/queue simple set guests max-limit=20M/5M
/routing rule add src-address=10.0.0.0/24 table=main
/system identity set name=office
/system identity set name="the office"
/system clock set time-zone-name=Europe/Berlin
/system ntp client set enabled=yes servers=pool.ntp.org
/system logging add topics=firewall action=memory
/tool netwatch add host=8.8.8.8 interval=30s
/tool netwatch add host=8.8.8.8 down-script=":log warning \"down\""
/tool graphing interface add
/log warning "checked"
:log info "checked"
/ping 8.8.8.8
/interface monitor-traffic ether1
/ip address print follow
/interface wireguard print
/export
:global x 1
:foreach i in=[/ip firewall nat find where disabled] do={/ip firewall nat remove $i}
:if ([:len [/ip dns static find where name="a"]] = 0) do={/ip dns static add name=a address=10.0.0.1}
/ip address { add address=10.0.0.1/24 interface=ether2; print }
/ip address; add address=10.0.0.1/24 interface=ether2
/ppp profile print
/ip dhcp-client print detail
/certificate print
/disk print
/system scheduler print
/interface wifi print
/interface wireless print
/interface lte print
/ip cloud print
/system history print
/tool profile
/interface ethernet cable-test ether1
:foreach i in=[/interface ethernet find] do={/interface ethernet monitor $i once}
/ip firewall filter add chain=input action=drop src-address-list=x on-event=":log info x"
:retry command={/ip dhcp-client renew 0} delay=1 max=3
:global f do={:put 1}
`);
