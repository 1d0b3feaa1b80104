#!rsc by RouterOS
# selftest: does this router do what claude-relay counts on? Asks nobody, changes nothing, prints PASS and FAIL lines.
#   /import selftest.rsc            after install.rsc; INFO lines answer what no manual says: please report them
# claude-relay was tested in an interpreter, not on a router: this is how an owner finds out.
:global ClaudeRelayFailed 0

# [check name expected got]
:global ClaudeRelayCheck do={
  :global ClaudeRelayFailed
  :if ([:tostr $2] = [:tostr $3]) do={ :put ("PASS " . $1); :return true }
  :set ClaudeRelayFailed ($ClaudeRelayFailed + 1)
  :put ("FAIL " . $1 . ": expected " . [:tostr $2] . ", got " . [:tostr $3])
  :return false
}

# What a text gives, with its type: a word this version does not know is an answer too. [try text]
:global ClaudeRelayTry do={
  :local text $1
  :local said ""
  :onerror e in={
    :local action [:parse $text]
    :local value [$action]
    :set said ([:typeof $value] . " " . [:tostr $value])
  } do={ :set said ("error " . $e) }
  :return $said
}

{
  :global ClaudeRelayCheck
  :global ClaudeRelayFailed
  :global ClaudeRelayTry
  :put ("claude-relay selftest on RouterOS " . [/system/resource/get version] . ", " . \
    [/system/resource/get board-name] . ", " . [/system/resource/get architecture-name])
  :if ([:len [/system/script/find where name="modules/claude-relay-hmac"]] = 0) do={
    :error "claude-relay: run install.rsc first"
  }
  /system/script/run modules/claude-relay-hmac
  :global ClaudeRelayHex
  :global ClaudeRelayMac
  :global ClaudeRelayMacName
  :global ClaudeRelayPads
  :global ClaudeRelaySame
  :global ClaudeRelaySha256
  :global ClaudeRelaySha512

  # ---- the language ----
  $ClaudeRelayCheck "text to lower-case hex" "str 00ff4a" [$ClaudeRelayTry ":return [:convert \"\\00\\FF\\4A\" from=raw to=hex]"]
  $ClaudeRelayCheck "a digit is text to from=raw" "str 3130" [$ClaudeRelayTry ":return [:convert \"10\" from=raw to=hex]"]
  $ClaudeRelayCheck "hex to text" "str ab1" [$ClaudeRelayTry ":return [:convert \"616231\" from=hex to=raw]"]
  $ClaudeRelayCheck "strings count bytes" "num 2" [$ClaudeRelayTry ":return [:len \"\\C3\\BC\"]"]
  $ClaudeRelayCheck "0x is read as hex" "num 2864434397" [$ClaudeRelayTry ":return [:tonum (\"0x\" . \"aabbccdd\")]"]
  $ClaudeRelayCheck "numbers have 64 bits" "num 4611686018427387904" [$ClaudeRelayTry ":return (1 << 62)"]
  $ClaudeRelayCheck "xor, or and and" "num 5" [$ClaudeRelayTry ":return (((12 | 1) ^ 8) & 7)"]
  $ClaudeRelayCheck "an element is set in place" "num 7" \
    [$ClaudeRelayTry ":local a [:toarray \"\"]; :set a (\$a, 5); :set a (\$a, 6); :set (\$a->1) 7; :return (\$a->1)"]
  $ClaudeRelayCheck "a key with an underscore" "str x" \
    [$ClaudeRelayTry ":local a ({\"b_c\"=\"x\"}); :return (\$a->\"b_c\")"]
  $ClaudeRelayCheck "picking past the end adds nothing" "str a" \
    [$ClaudeRelayTry ":local a \"abc\"; :return (\"a\" . [:pick \$a 3 3])"]
  $ClaudeRelayCheck "a class of characters" "bool true" [$ClaudeRelayTry ":return (\"rs_0f\" ~ \"^rs_[0-9a-f]+\\\$\")"]
  $ClaudeRelayCheck "a bool is its word" "str true" [$ClaudeRelayTry ":return [:tostr (1 = 1)]"]
  $ClaudeRelayCheck "random text" "num 32" [$ClaudeRelayTry ":return [:len [:rndstr length=32 from=\"abcdef0123456789\"]]"]
  $ClaudeRelayCheck "an error is caught in a parsed text" "error wanted" [:pick [$ClaudeRelayTry ":error \"wanted\""] 0 12]

  # ---- SHA-256 and HMAC-SHA256: FIPS 180-4, RFC 4231 ----
  $ClaudeRelayCheck "SHA-256 of nothing" "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" \
    [$ClaudeRelaySha256 ""]
  $ClaudeRelayCheck "SHA-256 of abc" "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" \
    [$ClaudeRelaySha256 "616263"]
  :local keys ({"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b";"4a656665"})
  :local texts ({"Hi There";"what do ya want for nothing?"})
  :local short ({"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"; \
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"})
  :local long ({"87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"; \
    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"})
  :local key ""
  :for i from=1 to=131 do={ :set key ($key . "aa") }
  :set keys ($keys, $key)
  :set texts ($texts, "Test Using Larger Than Block-Size Key - Hash Key First")
  :set short ($short, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
  :set long ($long, ("80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352" . \
    "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"))
  :for i from=0 to=2 do={
    :local pads [$ClaudeRelayPads ($keys->$i) "hmac-sha256"]
    $ClaudeRelayCheck ("HMAC-SHA256, RFC 4231 no. " . ($i + 1)) ($short->$i) \
      [$ClaudeRelayMac $pads ($texts->$i) "hmac-sha256"]
  }
  $ClaudeRelayCheck "equal MACs are equal" "true" [$ClaudeRelaySame ($short->0) ($short->0)]
  $ClaudeRelayCheck "unequal MACs are not" "false" [$ClaudeRelaySame ($short->0) ($short->1)]

  # ---- SHA-512: native or not ----
  :put ("INFO :convert transform=sha512 from=hex: " . \
    [$ClaudeRelayTry ":return [:pick [:convert \"616263\" from=hex to=hex transform=sha512] 0 16]"] . " (ddaf35a193617aba is right)")
  :put ("INFO requests are signed with " . $ClaudeRelayMacName)
  :if ($ClaudeRelayMacName = "hmac-sha512") do={
    :for i from=0 to=2 do={
      :local pads [$ClaudeRelayPads ($keys->$i) "hmac-sha512"]
      $ClaudeRelayCheck ("HMAC-SHA512, RFC 4231 no. " . ($i + 1)) ($long->$i) \
        [$ClaudeRelayMac $pads ($texts->$i) "hmac-sha512"]
    }
  }

  # ---- how long ----
  :put ("INFO one SHA-256 block: " . [:tostr [:time { :global ClaudeRelaySha256; :local x [$ClaudeRelaySha256 "616263"] }]])
  :put ("INFO one HMAC-SHA256, as in a handshake: " . [:tostr [:time {
    :global ClaudeRelayMac
    :global ClaudeRelayPads
    :local x [$ClaudeRelayMac [$ClaudeRelayPads "4a656665" "hmac-sha256"] "what do ya want for nothing?" "hmac-sha256"]
  }]])

  # ---- JSON ----
  $ClaudeRelayCheck "JSON: true is a bool" "bool true" \
    [$ClaudeRelayTry ":return ([:deserialize from=json value=\"{\\\"a\\\":true}\"]->\"a\")"]
  $ClaudeRelayCheck "JSON: a number is a number" "num 7" \
    [$ClaudeRelayTry ":return ([:deserialize from=json value=\"{\\\"a\\\":7}\"]->\"a\")"]
  $ClaudeRelayCheck "JSON: text in text stays text" "str {\"b\":\"/ip\"}" \
    [$ClaudeRelayTry ":return ([:deserialize from=json value=\"{\\\"a\\\":\\\"{\\\\\\\"b\\\\\\\":\\\\\\\"/ip\\\\\\\"}\\\"}\"]->\"a\")"]
  $ClaudeRelayCheck "JSON: a command stays text" "str /ip address print" \
    [$ClaudeRelayTry ":return ([:deserialize from=json value=\"{\\\"a\\\":\\\"/ip address print\\\"}\"]->\"a\")"]
  $ClaudeRelayCheck "JSON: hex stays text" "str rs_0123456789abcdef" \
    [$ClaudeRelayTry ":return ([:deserialize from=json value=\"{\\\"a\\\":\\\"rs_0123456789abcdef\\\"}\"]->\"a\")"]
  $ClaudeRelayCheck "JSON: a confirm code stays text" "str 1234-5678" \
    [$ClaudeRelayTry ":return ([:deserialize from=json value=\"{\\\"a\\\":\\\"1234-5678\\\"}\"]->\"a\")"]
  :put ("INFO JSON \"1234\" comes as: " . \
    [$ClaudeRelayTry ":return ([:deserialize from=json value=\"{\\\"a\\\":\\\"1234\\\"}\"]->\"a\")"])
  :put ("INFO the same with json.no-string-conversion: " . [$ClaudeRelayTry \
    ":return ([:deserialize from=json value=\"{\\\"a\\\":\\\"1234\\\"}\" options=json.no-string-conversion]->\"a\")"])

  # ---- what is written nowhere ----
  :put ("INFO -8 >> 1 is: " . [$ClaudeRelayTry ":return (-8 >> 1)"] . " (masked before it counts)")
  :put ("INFO http-max-redirect-count: " . \
    [$ClaudeRelayTry ":local f do={ /tool/fetch url=x http-max-redirect-count=0 }; :return \"known\""])
  :put ("INFO a comment after a command: " . [$ClaudeRelayTry ":local a 1 # b\n:return \"taken\""])
  :put ("INFO :put \"a\" . \"b\" without brackets: " . [$ClaudeRelayTry ":local f do={ :put \"a\" . \"b\" }; :return \"taken\""])
  :put ("INFO /ip/cloud dns-name: " . [$ClaudeRelayTry ":return [:typeof [/ip/cloud/get dns-name]]"])
  :put ("INFO /ip/cloud ddns-name: " . [$ClaudeRelayTry ":return [:typeof [/ip/cloud/get ddns-name]]"])
  :put ("INFO seconds since 1970: " . [:tostr ([:tonsec [:timestamp]] / 1000000000)] . " (off by more than 300: a challenge is used)")

  :if ($ClaudeRelayFailed = 0) do={ :put "PASS: all of it" } else={ :put ("FAIL: " . $ClaudeRelayFailed . " above") }
}
:global ClaudeRelayCheck
:set ClaudeRelayCheck
:global ClaudeRelayTry
:set ClaudeRelayTry
:global ClaudeRelayFailed
:set ClaudeRelayFailed
# end of claude-relay
