/** Commands that run what cannot be read here; all must be forbidden, write or not. One a line. */
export const hiddenCode: readonly string[] = `
/ipv6/dhcp-server set 0 bind="/system/reboot"
/ipv6/dhcp-server set 0 binding-script="/system/reboot"
/ip/address/print where [/log/get 0 message]
/ip/address/print where ([/log/get 0 message])
/ip/address/print where ("/system/" . "reboot")
/ip/address/print where ("/system/reboot;" . (1 = 1))
/ip/address/find where [/log/get 0 message]
/ip/address/find [/log/get 0 message]
:if (true) do="/system/reset-configuration no-defaults=yes"
:if (false) do={:put 1} else="/system/reboot"
:if (true) else=$x
:if (true) do=reboot
:if (true) do=
:if (true) do=[/log get 0 message]
:if (true) do=("/system/" . "reboot")
:if (true) do=("/ip address print")
:if (true) do="/ip address print"
:if (true) do=({/system/reboot})
:if "/system/reboot" do={:put 1}
:if condition="/system/reboot" do={:put 1}
:foreach i in={1;2} do="/file/remove 0"
:foreach i in={"/system/reboot"} do=$i
:foreach i in=[/log find] do=[/log get $i message]
:for i from=1 to=3 do="/system/reboot"
:for i from=1 to=3 do=$i
:do "/system/reboot"
:do ("/system/reboot")
:do reboot
:do [/log/get 0 message]
:do command="/system/reboot"
:do command=("/sys" . "tem/reboot")
:do {:put 1} on-error="/system/reboot"
:do {:put 1} on-error=[/log get 0 message]
:do {:put 1} while="/system/reboot"
:do {:put 1} while=("/system/reboot")
:local c "/system/reboot"; :do {:put 1} while=$c
:onerror e in="/system/reboot" do="/user/print"
:onerror e in="/system/reboot" do={:put $e}
:onerror e "/system/reboot" do={:put 1}
:onerror e in={:error "/system/reboot"} do=$e
:time "/system/reboot"
:time command="/system/reboot"
:time $x
:local f do="/system/reboot"
:local f do=[/log get 0 message]
:local f ("/sys" . "tem/reboot"); :if (true) do=$f
:local m [/log/get 0 message]; :if (true) do=$m
:local m [/log/get 0 message]; :do $m
:local m [/log/get 0 message]; :time $m
:put [:time "/system/reboot"]
:put "$[:do "/system/reboot"]"
if (true) do="/system/reboot"
{ :do "/system/reboot" }
:while (false) do="/system/reset-configuration"
:while "/system/reboot" do={:put 1}
:while ("/system/reboot") do={:put 1}
:while (true) do=$x
:retry command="/user/add name=x" delay=1 max=2
:retry command={:put 1} delay=1 max=2 on-error="/system/reboot"
:global f do="/system/reboot"
:grep pattern=x script="/user/add"
:grep x "/user/add"
/interface/monitor-traffic ether1 once do=("/system/" . "reboot")
/interface/monitor-traffic ether1 once do="/system/reboot"
/interface/monitor-traffic ether1 once d="/system/reboot"
/interface/monitor-traffic ether1 once "/system/reboot"
/interface/ethernet/monitor ether1 once do=[/log get 0 message]
/ip/route/check 8.8.8.8 once do="/system/reboot"
/ip address print do="/system/reboot"
/ip address print where do="/system/reboot"
/ip address find do="/system/reboot"
/ip address export where do="/system/reboot"
/ip address get 0 address do="/system/reboot"
/ip address add address=1.1.1.1/24 interface=ether1 do="/system/reboot"
/ip address set 0 on-error="/system/reboot"
/log info "x" do=$m
/tool netwatch add host=1.1.1.1 up-script=put
/tool netwatch add host=1.1.1.1 up-script="put"
/ip firewall mangle add chain=prerouting action=sniff-tzsp sniff-target=203.0.113.1
/ip firewall mangle add chain=prerouting action=sniff-t sniff-target=203.0.113.1
/ip firewall mangle set 0 action=sniff-pc
/ip firewall mangle add chain=prerouting action=$a
/ipv6 firewall mangle add chain=prerouting action=sniff-tzsp
/system watchdog set send-email-to=a@b.c
/system watchdog set send-e=a@b.c
/system watchdog set auto-send-supout=yes
/system logging action add name=x target=email email-to=a@b.c
/system logging action set 0 target=$x
:global TelegramToken
:global TelegramToken; :put $TelegramToken
:foreach TelegramToken in=$TelegramToken do={:put $TelegramToken}
:foreach k,Tok in=$Tok do={:put $k}
:foreach k,Tok in={$k;$Tok} do={:put $k}
:for Tok from=$Tok to=5 do={:put 1}
:for Tok from=1 to=$Tok do={:put 1}
:for Tok from=1 to=[:len $Tok] do={:put 1}
:onerror TelegramToken in={:put $TelegramToken} do={}
:onerror TelegramToken {:put $TelegramToken} do={}
:foreach Tok in={1} do={:put $Tok}; :put $Tok
:local TelegramToken 1; :local f do={:put $TelegramToken}
:local Tok $Tok
:local Tok do={:put $Tok}
:if (true) do={:local Tok 1}; :put $Tok
:if (true) do={:local Tok 1} else={:put $Tok}
:do {:local Tok 1} on-error={:put $Tok}
[:local Tok 1]; :put $Tok
:put ([:local Tok 1] . $Tok)
/ip address { :local Tok 1 }; :put $Tok
/interface monitor-traffic ether1 once do={:put $Tok}
:local Tok 1; /interface monitor-traffic ether1 once do={:put $Tok}
/user
/user active; .. print
/user .. user print
/user active request-logout 0
/system license renew
/system scheduler set 0 on-event="/system reboot"
/certificate import file-name=x
/disk set 0 disabled=yes
/ip service enable telnet
:while ("/sys" . "tem/reboot") do={:put 1}
:while [/log/get 0 message] do={:put 1}
:while ([/log/get 0 message]) do={:put 1}
/ip address print where "/system/reboot"
/ip address print where ("/system/reboot")
/ip address print where {:put 1}
/ip address find where "/system/reboot"
/ip address find "/system/reboot"
:local x "/system/reboot"; /ip address print where $x
[/log/get 0 message]
:put 1; [/log/get 0 message]
/tool profile do="/system/reboot"
/ping 10.0.0.1 count=1 do="/system/reboot"
`
  .split("\n")
  .filter((line) => line !== "");
