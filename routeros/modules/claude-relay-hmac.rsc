#!rsc by RouterOS
# modules/claude-relay-hmac: HMAC-SHA256 in plain script, HMAC-SHA512 where :convert can hash. RouterOS 7.15 or newer.
# Loaded by modules/claude-relay. It knows no secret and asks nothing of anybody.
# RouterOS has no SHA-256 and no HMAC. Everything is hex text: a string with a NUL byte is not to be trusted.

# Text as hex digits. from= is always said: without it "10" would be taken for a number. [hex text]
:global ClaudeRelayHex do={
  :local text [:tostr $1]
  :if ([:len $text] = 0) do={ :return "" }
  :local hex [:convert $text from=raw to=hex]
  :if ([:len $hex] != ([:len $text] * 2)) do={ :error "claude-relay: this text cannot be sent; use ASCII" }
  :return $hex
}

# A 32-bit number as 8 hex digits. [word number]
:global ClaudeRelayWord do={
  :local digits "0123456789abcdef"
  :local word $1
  :local out ""
  :for shift from=28 to=0 step=-4 do={
    :local digit (($word >> $shift) & 15)
    :set out ($out . [:pick $digits $digit ($digit + 1)])
  }
  :return $out
}

# SHA-256, FIPS 180-4. [sha256 hex] Numbers have 64 bits: only what is kept is cut down to 32.
:global ClaudeRelaySha256 do={
  :global ClaudeRelayWord
  :local text ($1 . "80")
  :local bits [$ClaudeRelayWord ([:len $1] * 4)]
  :while (([:len $text] % 128) != 112) do={ :set text ($text . "00") }
  :set text ($text . "00000000" . $bits)
  :local mask 4294967295
  :local table ("428a2f9871374491b5c0fbcfe9b5dba53956c25b59f111f1923f82a4ab1c5ed5d807aa9812835b01243185be550c7dc3" . \
    "72be5d7480deb1fe9bdc06a7c19bf174e49b69c1efbe47860fc19dc6240ca1cc2de92c6f4a7484aa5cb0a9dc76f988da" . \
    "983e5152a831c66db00327c8bf597fc7c6e00bf3d5a7914706ca63511429296727b70a852e1b21384d2c6dfc53380d13" . \
    "650a7354766a0abb81c2c92e92722c85a2bfe8a1a81a664bc24b8b70c76c51a3d192e819d6990624f40e3585106aa070" . \
    "19a4c1161e376c082748774c34b0bcb5391c0cb34ed8aa4a5b9cca4f682e6ff3748f82ee78a5636f84c878148cc70208" . \
    "90befffaa4506cebbef9a3f7c67178f2")
  :local keys [:toarray ""]
  :for i from=0 to=63 do={ :set keys ($keys, [:tonum ("0x" . [:pick $table ($i * 8) ($i * 8 + 8)])]) }
  :local h0 1779033703
  :local h1 3144134277
  :local h2 1013904242
  :local h3 2773480762
  :local h4 1359893119
  :local h5 2600822924
  :local h6 528734635
  :local h7 1541459225
  :for block from=0 to=([:len $text] - 128) step=128 do={
    :local words [:toarray ""]
    :for i from=0 to=15 do={
      :set words ($words, [:tonum ("0x" . [:pick $text ($block + ($i * 8)) ($block + ($i * 8) + 8)])])
    }
    :local a $h0
    :local b $h1
    :local c $h2
    :local d $h3
    :local e $h4
    :local f $h5
    :local g $h6
    :local h $h7
    :for round from=0 to=63 do={
      :local slot ($round & 15)
      :local word ($words->$slot)
      :if ($round > 15) do={
        :local x ($words->(($round + 1) & 15))
        :local y ($words->(($round + 14) & 15))
        :local s0 ((($x >> 7) | ($x << 25)) ^ (($x >> 18) | ($x << 14)) ^ ($x >> 3))
        :local s1 ((($y >> 17) | ($y << 15)) ^ (($y >> 19) | ($y << 13)) ^ ($y >> 10))
        :set word (($word + $s0 + ($words->(($round + 9) & 15)) + $s1) & $mask)
        :set ($words->$slot) $word
      }
      :local e1 ((($e >> 6) | ($e << 26)) ^ (($e >> 11) | ($e << 21)) ^ (($e >> 25) | ($e << 7)))
      :local t1 ($h + $e1 + ($g ^ ($e & ($f ^ $g))) + ($keys->$round) + $word)
      :local a0 ((($a >> 2) | ($a << 30)) ^ (($a >> 13) | ($a << 19)) ^ (($a >> 22) | ($a << 10)))
      :local t2 ($a0 + (($a & $b) | ($c & ($a | $b))))
      :set h $g
      :set g $f
      :set f $e
      :set e (($d + $t1) & $mask)
      :set d $c
      :set c $b
      :set b $a
      :set a (($t1 + $t2) & $mask)
    }
    :set h0 (($h0 + $a) & $mask)
    :set h1 (($h1 + $b) & $mask)
    :set h2 (($h2 + $c) & $mask)
    :set h3 (($h3 + $d) & $mask)
    :set h4 (($h4 + $e) & $mask)
    :set h5 (($h5 + $f) & $mask)
    :set h6 (($h6 + $g) & $mask)
    :set h7 (($h7 + $h) & $mask)
  }
  :return ([$ClaudeRelayWord $h0] . [$ClaudeRelayWord $h1] . [$ClaudeRelayWord $h2] . [$ClaudeRelayWord $h3] . \
    [$ClaudeRelayWord $h4] . [$ClaudeRelayWord $h5] . [$ClaudeRelayWord $h6] . [$ClaudeRelayWord $h7])
}

# The hash under a MAC: hmac-sha512 is native, anything else is SHA-256. [hash hex mac]
:global ClaudeRelayHash do={
  :global ClaudeRelaySha256
  :global ClaudeRelaySha512
  :if ($2 != "hmac-sha512") do={ :return [$ClaudeRelaySha256 $1] }
  # Nothing is not worth a question to :convert.
  :if ([:len $1] = 0) do={
    :return ("cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce" . \
      "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e")
  }
  :return [$ClaudeRelaySha512 $1]
}

# The two key blocks of an HMAC (RFC 2104), made once per key. [pads keyHex mac]
:global ClaudeRelayPads do={
  :global ClaudeRelayHash
  :global ClaudeRelayWord
  :local size 128
  :if ($2 = "hmac-sha512") do={ :set size 256 }
  :local key $1
  :if ([:len $key] > $size) do={ :set key [$ClaudeRelayHash $key $2] }
  :while ([:len $key] < $size) do={ :set key ($key . "00") }
  :local inner ""
  :local outer ""
  :for at from=0 to=($size - 8) step=8 do={
    :local word [:tonum ("0x" . [:pick $key $at ($at + 8)])]
    :set inner ($inner . [$ClaudeRelayWord ($word ^ 909522486)])
    :set outer ($outer . [$ClaudeRelayWord ($word ^ 1549556828)])
  }
  :return ({"inner"=$inner;"outer"=$outer})
}

# [mac pads text mac] gives hex
:global ClaudeRelayMac do={
  :global ClaudeRelayHash
  :global ClaudeRelayHex
  :local inner [$ClaudeRelayHash (($1->"inner") . [$ClaudeRelayHex $2]) $3]
  :return [$ClaudeRelayHash (($1->"outer") . $inner) $3]
}

# Whether two MACs are the same; every digit is looked at. [same expected given]
:global ClaudeRelaySame do={
  :if (([:typeof $1] != "str") || ([:typeof $2] != "str")) do={ :return false }
  :if (([:len $1] < 64) || ([:len $1] != [:len $2])) do={ :return false }
  :if (!(($1 . $2) ~ "^[0-9a-f]+\$")) do={ :return false }
  :local difference 0
  :for at from=0 to=([:len $1] - 8) step=8 do={
    :local x [:tonum ("0x" . [:pick $1 $at ($at + 8)])]
    :local y [:tonum ("0x" . [:pick $2 $at ($at + 8)])]
    :set difference ($difference | ($x ^ $y))
  }
  :return ($difference = 0)
}

# SHA-512 is native, from a version nobody wrote down.
:global ClaudeRelaySha512
:global ClaudeRelayMacName "hmac-sha256"
:onerror e in={
  :local define [:parse ":global ClaudeRelaySha512 do={ :return [:convert \$1 from=hex to=hex transform=sha512] }"]
  $define
  :if ([$ClaudeRelaySha512 "00616263ff80"] = ("629eab7d3effb04cd784bdb4b8115b63b62945958ed523131328a19f383e3d69" . \
    "63d788e2aad58a9c68a344029235e834b15f9c28ef5826ac04e7c35e2dcd6b67")) do={ :set ClaudeRelayMacName "hmac-sha512" }
} do={ }
# end of claude-relay
