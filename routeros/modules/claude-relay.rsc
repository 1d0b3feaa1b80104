#!rsc by RouterOS
# modules/claude-relay: ask Claude, through the relay, for RouterOS commands. RouterOS 7.15 or newer.
# Settings: the script "bot-config". How to use it, and the wire: docs/routers.md of claude-relay.
#   [$ClaudeRelayAsk "show my addresses"]   [$ClaudeRelayConfirm "XXXX-XXXX"]   [$ClaudeRelayExplain]
#   [$ClaudeRelayInitCloud]   [$ClaudeRelayHandshake]   [$ClaudeRelayStatus]
# A function sees no variables but its own: each one declares the globals it uses.

:global ClaudeRelayLoaded false
/system/script/run modules/claude-relay-hmac
:global ClaudeRelaySession [:toarray ""]
:global ClaudeRelayPending [:toarray ""]
:global ClaudeRelayLastError [:toarray ""]
:global ClaudeRelayFoundURL ""
:global ClaudeRelayCloudPort
:if ([:typeof $ClaudeRelayCloudPort] ~ "^n(il|othing)") do={ :set ClaudeRelayCloudPort 8899 }
:global ClaudeRelayCheckCertificate
:if ([:typeof $ClaudeRelayCheckCertificate] ~ "^n(il|othing)") do={ :set ClaudeRelayCheckCertificate "yes-without-crl" }

# ---- text ----

# A switch is on when it says true or yes. [on value]
:global ClaudeRelayOn do={
  :local said [:tostr $1]
  :return (($said = "true") || ($said = "yes"))
}

# A value with its type, "bool true" or "str pending": how unlike types compare, nobody has written down. [says value]
:global ClaudeRelaySays do={ :return ([:typeof $1] . " " . [:tostr $1]) }

# A JSON string. Written by hand: :serialize turns "12" into a number before 7.17. [quote text]
:global ClaudeRelayQuote do={
  :global ClaudeRelayHex
  :local text [:tostr $1]
  :local hex [$ClaudeRelayHex $text]
  :local out ""
  :local start 0
  :local at 0
  :while ($at < [:len $text]) do={
    :local code [:pick $hex ($at * 2) ($at * 2 + 2)]
    :local byte [:tonum ("0x" . $code)]
    :if (($byte < 32) || ($byte = 34) || ($byte = 92) || ($byte = 127)) do={
      :set out ($out . [:pick $text $start $at] . "\\u00" . $code)
      :set start ($at + 1)
    }
    :set at ($at + 1)
  }
  :return ("\"" . $out . [:pick $text $start [:len $text]] . "\"")
}

# What a terminal shows as it is: ASCII and line ends; anything else becomes "?". [plain text]
:global ClaudeRelayPlain do={
  :global ClaudeRelayHex
  :local text [:tostr $1]
  :local hex [$ClaudeRelayHex $text]
  :local out ""
  :local start 0
  :local at 0
  :while ($at < [:len $text]) do={
    :local byte [:tonum ("0x" . [:pick $hex ($at * 2) ($at * 2 + 2)])]
    :if ((($byte < 32) && ($byte != 10)) || ($byte > 126)) do={
      :set out ($out . [:pick $text $start $at] . "?")
      :set start ($at + 1)
    }
    :set at ($at + 1)
  }
  :return ($out . [:pick $text $start [:len $text]])
}

# The same with a mark before every line, so that no line of it passes for one of ours. [margin text mark]
:global ClaudeRelayMargin do={
  :global ClaudeRelayPlain
  :local text [$ClaudeRelayPlain $1]
  :local out ""
  :local start 0
  :local at [:find $text "\n"]
  :while ([:typeof $at] != "nil") do={
    :set out ($out . $2 . [:pick $text $start $at] . "\n")
    :set start ($at + 1)
    :set at [:find $text "\n" $at]
  }
  :return ($out . $2 . [:pick $text $start [:len $text]])
}

# ---- where the relay is ----

# Whether a host is this network's: loopback, private or link-local. A name counts as what it leads to. [local host]
:global ClaudeRelayLocalHost do={
  :local host [:tostr $1]
  :if ($host = "localhost") do={ :return true }
  :if (!($host ~ "^(\\[.*|[0-9.]+)\$")) do={
    :local found ""
    :onerror e in={ :set found [:tostr [:resolve $host]] } do={ }
    :set host $found
  }
  :if ($host ~ "^\\[?(::1|[Ff][CcDd][0-9A-Fa-f:]+|[Ff][Ee]80:[0-9A-Fa-f:]+)\\]?\$") do={ :return true }
  :if (!($host ~ "^[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+\$")) do={ :return false }
  :return ($host ~ "^(127|10|192\\.168|169\\.254|172\\.(1[6-9]|2[0-9]|3[01]))\\.")
}

# A relay's address as it is used, or an error naming the remedy. [checkURL url]
:global ClaudeRelayCheckURL do={
  :global ClaudeRelayAllowHTTP
  :global ClaudeRelayLocalHost
  :global ClaudeRelayOn
  :local url [:tostr $1]
  :if ([:pick $url ([:len $url] - 1) [:len $url]] = "/") do={ :set url [:pick $url 0 ([:len $url] - 1)] }
  :if (!($url ~ "^https?://([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:]+\\])(:[0-9]+)?\$")) do={
    :error "claude-relay: ClaudeRelayURL must look like https://HOST:PORT or http://192.168.88.10:8899"
  }
  :if ($url ~ "^https:") do={ :return $url }
  :local host [:pick $url 7 [:len $url]]
  :local port [:find $host "]:"]
  :if ([:typeof $port] = "num") do={ :set port ($port + 1) }
  :if (!($host ~ "^\\[")) do={ :set port [:find $host ":"] }
  :if ([:typeof $port] = "num") do={ :set host [:pick $host 0 $port] }
  :if ([$ClaudeRelayLocalHost $host] || [$ClaudeRelayOn $ClaudeRelayAllowHTTP]) do={ :return $url }
  :if (!($host ~ "^(\\[.*|[0-9.]+)\$")) do={
    :onerror e in={ :local found [:resolve $host] } do={
      :error ("claude-relay: the name " . $host . " leads nowhere (/ip/dns); use an address")
    }
  }
  :error "claude-relay: plain http only to private addresses; use https, or set ClaudeRelayAllowHTTP true"
}

# What /ip cloud knows, as addresses to try. There is no such menu on x86: hence :parse. [cloudURLs]
:global ClaudeRelayCloudURLs do={
  :global ClaudeRelayAllowHTTP
  :global ClaudeRelayCloudPort
  :global ClaudeRelayLocalHost
  :global ClaudeRelayOn
  :local urls [:toarray ""]
  :foreach field in={"dns-name";"public-address"} do={
    :local host ""
    :onerror e in={ 
      :local read [:parse (":return [/ip/cloud/get " . $field . "]")]
      :set host [:tostr [$read]]
    } do={ }
    :if ([:len $host] > 0) do={
      :local place ("://" . $host . ":" . $ClaudeRelayCloudPort)
      :if ([$ClaudeRelayLocalHost $host]) do={
        :set urls ($urls, ("http" . $place))
      } else={
        :set urls ($urls, ("https" . $place))
        :if ([$ClaudeRelayOn $ClaudeRelayAllowHTTP]) do={ :set urls ($urls, ("http" . $place)) }
      }
    }
  }
  :return $urls
}

# Whether a relay's port for routers answers there. It proves itself only in the handshake. [answers url]
:global ClaudeRelayAnswers do={
  :global ClaudeRelayFetch
  :global ClaudeRelayJson
  :global ClaudeRelaySays
  :local url $1
  :local well false
  :onerror e in={
    :local reply [$ClaudeRelayJson [$ClaudeRelayFetch "GET" ($url . "/health") "Accept: application/json"]]
    # The relay's other port is healthy too, but serves no routers and does not call itself so.
    :if ([:typeof $reply] = "array") do={ :set well ([$ClaudeRelaySays ($reply->"service")] = "str claude-relay") }
  } do={ }
  :return $well
}

# The relay's address: ClaudeRelayURL, else the first of /ip cloud's that answers. Errors when there is none.
:global GetCloudURL do={
  :global ClaudeRelayAllowHTTP
  :global ClaudeRelayAnswers
  :global ClaudeRelayCheckURL
  :global ClaudeRelayCloudURLs
  :global ClaudeRelayEnabled
  :global ClaudeRelayFoundURL
  :global ClaudeRelayOn
  :global ClaudeRelayURL
  :global ClaudeRelayUseCloud
  :if (![$ClaudeRelayOn $ClaudeRelayEnabled]) do={ :error "claude-relay: not enabled; set ClaudeRelayEnabled true" }
  :if ([:len $ClaudeRelayURL] > 0) do={ :return [$ClaudeRelayCheckURL $ClaudeRelayURL] }
  :if (![$ClaudeRelayOn $ClaudeRelayUseCloud]) do={
    :error "claude-relay: where is the relay? Set ClaudeRelayURL, or ClaudeRelayUseCloud true"
  }
  :local urls [$ClaudeRelayCloudURLs]
  :if ([:len $urls] = 0) do={ :error "claude-relay: /ip cloud has no name and no address; set ClaudeRelayURL" }
  :set ClaudeRelayFoundURL ""
  :local tried ""
  :local hint "; set ClaudeRelayURL to its LAN address"
  :foreach url in=$urls do={
    :if ([:len $ClaudeRelayFoundURL] = 0) do={
      :if ([:len $tried] > 0) do={ :set tried ($tried . " or ") }
      :set tried ($tried . $url)
      :if (($url ~ "^https:") && ![$ClaudeRelayOn $ClaudeRelayAllowHTTP]) do={
        :set hint (" (plain http is not tried at public addresses: CLOUD_TLS_CERT on the relay, or " . \
          "ClaudeRelayAllowHTTP true; or set ClaudeRelayURL to its LAN address)")
      }
      :if ([$ClaudeRelayAnswers $url]) do={ :set ClaudeRelayFoundURL $url }
    }
  }
  :if ([:len $ClaudeRelayFoundURL] = 0) do={
    :error ("claude-relay: no relay answers at " . $tried . $hint)
  }
  :set ClaudeRelayURL $ClaudeRelayFoundURL
  :return $ClaudeRelayURL
}

# Whether the relay answers, as true or false. [$ClaudeRelayAvailable]
:global ClaudeRelayAvailable do={
  :global ClaudeRelayAnswers
  :global GetCloudURL
  :local well false
  :onerror e in={ :set well [$ClaudeRelayAnswers [$GetCloudURL]] } do={ }
  :return $well
}

# The id this router goes by: letters, digits, dot, underscore, hyphen; at most 64.
:global ClaudeRelayId do={
  :global ClaudeRelayRouterId
  :local name [:tostr $ClaudeRelayRouterId]
  :if ([:len $name] = 0) do={
    :onerror e in={ 
      :local read [:parse ":return [/system/routerboard/get serial-number]"]
      :set name [:tostr [$read]]
    } do={ }
  }
  :if ([:len $name] = 0) do={ :set name [:tostr [/system/identity/get name]] }
  :if ([:len $name] = 0) do={ :set name "router" }
  :local out ""
  :for at from=0 to=([:len $name] - 1) do={
    :local letter [:pick $name $at ($at + 1)]
    :if (!($letter ~ "^[A-Za-z0-9._-]\$")) do={ :set letter "-" }
    :set out ($out . $letter)
  }
  :if (!($out ~ "^[A-Za-z0-9]")) do={ :set out ("r" . $out) }
  :return [:pick $out 0 64]
}

# ---- talking ----

# One exchange, as the table the answer holds. [exchange method url headers body]
:global ClaudeRelayExchange do={
  :global ClaudeRelayFetch
  :global ClaudeRelayJson
  :local method $1
  :local url $2
  :local headers $3
  :local body [:tostr $4]
  :local data ""
  :local reply
  :local trouble ""
  :onerror e in={ :set data [$ClaudeRelayFetch $method $url $headers $body] } do={ :set trouble ("failed: " . $e) }
  :if ([:len $trouble] > 0) do={ :error ("claude-relay: " . $url . " " . $trouble) }
  :onerror e in={ :set reply [$ClaudeRelayJson $data] } do={ :set trouble "not JSON" }
  :if (([:len $trouble] > 0) || ([:typeof $reply] != "array")) do={
    :error ("claude-relay: " . $url . " did not answer as a relay does")
  }
  :return $reply
}

# A refusal in words, safe to show. [refusal reply]
:global ClaudeRelayRefusal do={
  :global ClaudeRelayPlain
  :local words ([:tostr ($1->"code")] . ": " . [:tostr ($1->"error")])
  :return [$ClaudeRelayPlain [:pick $words 0 600]]
}

:global ClaudeRelayNow do={ :return ([:tonsec [:timestamp]] / 1000000000) }

# Proves the secret to the relay, and the relay its own; the session's key comes of both. [$ClaudeRelayHandshake]
:global ClaudeRelayHandshake do={
  :global ClaudeRelayExchange
  :global ClaudeRelayHandshakeSecret
  :global ClaudeRelayHex
  :global ClaudeRelayId
  :global ClaudeRelayMac
  :global ClaudeRelayMacName
  :global ClaudeRelayNow
  :global ClaudeRelayPads
  :global ClaudeRelayPlain
  :global ClaudeRelayQuote
  :global ClaudeRelayRefusal
  :global ClaudeRelaySame
  :global ClaudeRelaySays
  :global ClaudeRelaySession
  :global GetCloudURL
  :set ClaudeRelaySession [:toarray ""]
  :local url [$GetCloudURL]
  :local signed ([:len $ClaudeRelayHandshakeSecret] > 0)
  :if (!$signed && !($url ~ "^https?://(127\\.[0-9.]+|localhost|\\[::1\\])(:[0-9]+)?\$")) do={
    :error "claude-relay: no secret; set ClaudeRelayHandshakeSecret as the relay has it"
  }
  :local pads
  :if ($signed) do={ :set pads [$ClaudeRelayPads [$ClaudeRelayHex $ClaudeRelayHandshakeSecret] "hmac-sha256"] }
  :local id [$ClaudeRelayId]
  :local identity [$ClaudeRelayPlain [:pick [:tostr [/system/identity/get name]] 0 128]]
  :local nonce ""
  :local reply
  :local freshness [:tostr [$ClaudeRelayNow]]
  :local part ("\"timestamp\":" . $freshness)
  :local tries 1
  # A second try, with a challenge, only when the relay says that the clock is off.
  :while ($tries > 0) do={
    :set nonce [:rndstr length=32 from="abcdefghijklmnopqrstuvwxyz0123456789"]
    :local body ("{\"v\":1,\"router_identity\":" . [$ClaudeRelayQuote $identity] . ",\"router_id\":\"" . $id . \
      "\"," . $part . ",\"nonce\":\"" . $nonce . "\",\"mac\":\"" . $ClaudeRelayMacName . "\"")
    :if ($signed) do={
      :local text ("claude-relay-handshake-v1\n" . $id . "\n" . [$ClaudeRelayHex $identity] . "\n" . \
        $freshness . "\n" . $nonce)
      :set body ($body . ",\"signature\":\"" . [$ClaudeRelayMac $pads $text "hmac-sha256"] . "\"")
    }
    :set reply [$ClaudeRelayExchange "POST" ($url . "/handshake") "Content-Type: application/json" ($body . "}")]
    :if (($tries = 1) && ([:tostr ($reply->"code")] = "clock_skew")) do={
      :local offer [$ClaudeRelayExchange "GET" ($url . "/handshake/challenge") "Accept: application/json"]
      :set freshness [:tostr ($offer->"challenge")]
      :if (!($freshness ~ "^c_[0-9a-f]+\$")) do={
        :error ("claude-relay: this router's clock is off and no challenge came; " . [$ClaudeRelayRefusal $offer])
      }
      :set part ("\"challenge\":\"" . $freshness . "\"")
      :set tries 2
    } else={ :set tries 0 }
  }
  :if ([$ClaudeRelaySays ($reply->"success")] != "bool true") do={
    :error ("claude-relay: the handshake was refused; " . [$ClaudeRelayRefusal $reply])
  }
  :local session [:tostr ($reply->"session")]
  :local answered [:tostr ($reply->"server_nonce")]
  :if (!($session ~ "^rs_[0-9a-f]+\$")) do={ :error "claude-relay: the handshake opened no session" }
  :local mac "none"
  :local keys
  :if ($signed) do={
    :set mac $ClaudeRelayMacName
    :local proof [$ClaudeRelayMac $pads ("claude-relay-server-v1\n" . $nonce . "\n" . $answered) "hmac-sha256"]
    :if (![$ClaudeRelaySame $proof ($reply->"server_proof")] || ([:tostr ($reply->"mac")] != $mac)) do={
      :error "claude-relay: what answers there does not know the secret; it is not trusted"
    }
    :local text ("claude-relay-session-v1\n" . $nonce . "\n" . $answered . "\n" . $session . "\n" . $mac)
    :set keys [$ClaudeRelayPads [$ClaudeRelayMac $pads $text "hmac-sha256"] $mac]
  }
  :set ClaudeRelaySession ({"id"=$session;"url"=$url;"mac"=$mac;"seq"=0;"pads"=$keys})
  :log info ("claude-relay: handshake with " . $url . " as " . $id)
  :if ([:tostr $quiet] != "true") do={
    :put ("claude-relay: handshake accepted by " . $url . " for router " . $id . ", " . $mac)
  }
  :return true
}

# A signed request; gives what the relay sealed, and errors on anything else. [call method path body]
:global ClaudeRelayCall do={
  :global ClaudeRelayExchange
  :global ClaudeRelayHandshake
  :global ClaudeRelayHash
  :global ClaudeRelayHex
  :global ClaudeRelayJson
  :global ClaudeRelayMac
  :global ClaudeRelayRefusal
  :global ClaudeRelaySame
  :global ClaudeRelaySays
  :global ClaudeRelaySession
  :global GetCloudURL
  :local method $1
  :local path $2
  :local body [:tostr $3]
  :local url [$GetCloudURL]
  :local answer
  :local tries 1
  # Two tries at most: a session that the relay has forgotten, or counts otherwise, is made anew once.
  :while ($tries > 0) do={
    :if (($ClaudeRelaySession->"url") != $url) do={ $ClaudeRelayHandshake quiet="true" }
    :local session ($ClaudeRelaySession->"id")
    :local mac ($ClaudeRelaySession->"mac")
    :local pads ($ClaudeRelaySession->"pads")
    :local seq (($ClaudeRelaySession->"seq") + 1)
    :set ($ClaudeRelaySession->"seq") $seq
    :local headers ("X-Relay-Session: " . $session . ",X-Relay-Seq: " . $seq)
    :if ($method = "POST") do={ :set headers ("Content-Type: application/json," . $headers) }
    :if ($mac != "none") do={
      :local text ("claude-relay-request-v1\n" . $method . "\n" . $path . "\n" . $session . "\n" . $seq . "\n" . \
        [$ClaudeRelayHash [$ClaudeRelayHex $body] $mac])
      :set headers ($headers . ",X-Relay-Signature: " . [$ClaudeRelayMac $pads $text $mac])
    }
    :local reply [$ClaudeRelayExchange $method ($url . $path) $headers $body]
    :local payload ($reply->"payload")
    :local sealed false
    :set answer $reply
    :if ([:typeof $payload] = "str") do={
      :if ($mac != "none") do={
        :local text ("claude-relay-response-v1\n" . $session . "\n" . $seq . "\n" . \
          [$ClaudeRelayHash [$ClaudeRelayHex $payload] $mac])
        :set sealed [$ClaudeRelaySame [$ClaudeRelayMac $pads $text $mac] ($reply->"mac")]
        :if (!$sealed) do={ :error "claude-relay: the reply was changed on its way; nothing was done" }
      }
      :set answer [$ClaudeRelayJson $payload]
      :if ([:typeof $answer] != "array") do={ :error "claude-relay: the reply is not one of a relay's" }
    }
    :if ($mac = "none") do={ :set sealed true }
    :local code [:tostr ($answer->"code")]
    :local refused ([$ClaudeRelaySays ($answer->"success")] = "bool false")
    :local again false
    :if ($refused && ($code ~ "^(session_unknown|session_expired|sequence_invalid)\$")) do={
      :set ClaudeRelaySession [:toarray ""]
      :set again true
    }
    :if ($again && ($tries = 1)) do={ :set tries 2 } else={
      :set tries 0
      :if ([:typeof ($answer->"success")] != "bool") do={ :error "claude-relay: the reply is not one of a relay's" }
      :if (!$sealed && $refused) do={ :error ("claude-relay: refused, unsealed; " . [$ClaudeRelayRefusal $answer]) }
      :if (!$sealed) do={ :error "claude-relay: the reply is not sealed; nothing was done" }
    }
  }
  :return $answer
}

# The same, waiting for an answer that takes longer than one exchange. [finish method path body]
:global ClaudeRelayFinish do={
  :global ClaudeRelayCall
  :global ClaudeRelayNow
  :global ClaudeRelayRefusal
  :global ClaudeRelaySays
  :global ClaudeRelayTimeout
  :local limit [:tonum $ClaudeRelayTimeout]
  :if ([:typeof $limit] != "num") do={ :set limit 120 }
  :local started [$ClaudeRelayNow]
  :local polls 0
  :local answer [$ClaudeRelayCall $1 $2 $3]
  :while ([$ClaudeRelaySays ($answer->"status")] = "str pending") do={
    :local job [:tostr ($answer->"job")]
    :if (!($job ~ "^j_[0-9a-f]+\$")) do={ :error "claude-relay: the reply is not one of a relay's" }
    :set polls ($polls + 1)
    :if ((([$ClaudeRelayNow] - $started) > $limit) || ($polls > 300)) do={
      :error "claude-relay: no answer in time; ask again, or raise ClaudeRelayTimeout"
    }
    :local pause ($answer->"poll_after")
    :if ([:typeof $pause] != "num") do={ :set pause 2 }
    :if (($pause < 1) || ($pause > 10)) do={ :set pause 2 }
    :delay [:totime ($pause . "s")]
    :set answer [$ClaudeRelayCall "GET" ("/jobs/" . $job) ""]
  }
  :if ([$ClaudeRelaySays ($answer->"success")] != "bool true") do={
    :error ("claude-relay: refused; " . [$ClaudeRelayRefusal $answer])
  }
  :return $answer
}

# ---- what people call ----

# Finds the relay and shakes hands with it. [$ClaudeRelayInitCloud]
:global ClaudeRelayInitCloud do={
  :global ClaudeRelayFoundURL
  :global ClaudeRelayHandshake
  :global ClaudeRelayURL
  # Found here before: look again, the address may have changed.
  :if (([:len $ClaudeRelayFoundURL] > 0) && ($ClaudeRelayURL = $ClaudeRelayFoundURL)) do={ :set ClaudeRelayURL "" }
  :set ClaudeRelayFoundURL ""
  $ClaudeRelayHandshake
  :return true
}

# The command a sealed answer holds, if it is one that can be shown as it is. [command answer]
:global ClaudeRelayCommand do={
  :global ClaudeRelayPlain
  :local text ($1->"routeros_command")
  :local kind [:tostr ($1->"classification")]
  :if (([:typeof $text] != "str") || ([:len $text] = 0) || (($kind != "read") && ($kind != "write"))) do={
    :error "claude-relay: the reply holds no command; nothing was done"
  }
  :if ([$ClaudeRelayPlain $text] != $text) do={
    :error "claude-relay: the command has characters a terminal does not show; nothing was done"
  }
  :return $text
}

# Runs a text, all of it and nothing else. By :parse: a temporary script would need the policies write and policy.
# [run text kind]
:global ClaudeRelayRun do={
  :global ClaudeRelayErrorSuggestions
  :global ClaudeRelayExplain
  :global ClaudeRelayLastError
  :global ClaudeRelayOn
  :local text $1
  :local trouble ""
  :local failed false
  :onerror e in={
    :local action [:parse $text]
    $action
  } do={
    :set failed true
    :set trouble $e
  }
  :if (!$failed) do={
    :log info ("claude-relay: a command ran (" . $2 . ")")
    :return true
  }
  :set ClaudeRelayLastError ({"command"=$text;"message"=$trouble})
  :log warning ("claude-relay: a command failed (" . $2 . ")")
  :put ("It failed: " . $trouble)
  :if ($2 = "write") do={ :put "What stood before the failing part may have been done. See /system/history." }
  :if ([$ClaudeRelayOn $ClaudeRelayErrorSuggestions]) do={
    :onerror e in={ $ClaudeRelayExplain } do={ :put $e }
  } else={ :put "Why: [\$ClaudeRelayExplain]" }
  :error "claude-relay: the command failed"
}

# Asks for a command in plain words and shows it. [$ClaudeRelayAsk "show my addresses" context="..." user="anna"]
:global ClaudeRelayAsk do={
  :global ClaudeRelayAutoExecute
  :global ClaudeRelayCommand
  :global ClaudeRelayFinish
  :global ClaudeRelayOn
  :global ClaudeRelayMargin
  :global ClaudeRelayPending
  :global ClaudeRelayQuote
  :global ClaudeRelayRun
  :global ClaudeRelaySays
  :local who [:tostr $user]
  :local about [:tostr $context]
  :if ([:len $1] = 0) do={ :error "claude-relay: say what you want: [\$ClaudeRelayAsk \"show my addresses\"]" }
  :set ClaudeRelayPending [:toarray ""]
  :local body ("{\"command\":" . [$ClaudeRelayQuote $1])
  :if ([:len $about] > 0) do={ :set body ($body . ",\"context\":" . [$ClaudeRelayQuote $about]) }
  :if ([:len $who] > 0) do={ :set body ($body . ",\"user\":" . [$ClaudeRelayQuote $who]) }
  :local answer [$ClaudeRelayFinish "POST" "/process-command" ($body . "}")]
  :local text [$ClaudeRelayCommand $answer]
  :local kind [:tostr ($answer->"classification")]
  :local code ($answer->"confirm_code")
  :put [$ClaudeRelayMargin ($answer->"explanation") "  | "]
  :put ("Claude suggests (" . $kind . "):")
  :put [$ClaudeRelayMargin $text "  > "]
  :if ([:typeof ($answer->"commands")] = "array") do={
    :foreach one in=($answer->"commands") do={
      :if ([:len ($one->"warning")] > 0) do={ :put [$ClaudeRelayMargin ($one->"warning") "  ! "] }
    }
  }
  :if ([$ClaudeRelaySays ($answer->"may_run")] = "bool true") do={
    :if ($kind != "read") do={ :error "claude-relay: the relay would run a write unasked; nothing was done" }
    :if ([$ClaudeRelayOn $ClaudeRelayAutoExecute]) do={
      $ClaudeRelayRun $text $kind
    } else={ :put "It only reads. Type it to run it, or set ClaudeRelayAutoExecute true." }
    :return $text
  }
  :if (!([:tostr $code] ~ "^[0-9A-Z]+-[0-9A-Z]+\$") || ([:typeof $code] != "str")) do={
    :error "claude-relay: the reply holds no code to confirm with; ask again"
  }
  :set ClaudeRelayPending ({"code"=$code;"command"=$text;"kind"=$kind;"user"=$who})
  :if ($kind = "write") do={
    :put "It changes this router. First: /export file=before-claude, and Safe Mode (Ctrl-X, or /safe-mode)."
  }
  :put ("To run exactly this, within 5 minutes: [\$ClaudeRelayConfirm \"" . $code . "\"]")
  :return $text
}

# Runs what was shown with a code, if the relay seals the very same text. [$ClaudeRelayConfirm "XXXX-XXXX"]
:global ClaudeRelayConfirm do={
  :global ClaudeRelayCommand
  :global ClaudeRelayFinish
  :global ClaudeRelayPending
  :global ClaudeRelayQuote
  :global ClaudeRelayRun
  :global ClaudeRelaySays
  :local code [:tostr $1]
  :local shown $ClaudeRelayPending
  :if (([:len $code] = 0) || ([:tostr ($shown->"code")] != $code)) do={
    :error "claude-relay: that is not the code of the last command shown; ask again"
  }
  :local body ("{\"confirm\":" . [$ClaudeRelayQuote $code])
  :if ([:len ($shown->"user")] > 0) do={ :set body ($body . ",\"user\":" . [$ClaudeRelayQuote ($shown->"user")]) }
  :local answer [$ClaudeRelayFinish "POST" "/process-command" ($body . "}")]
  :set ClaudeRelayPending [:toarray ""]
  :local text [$ClaudeRelayCommand $answer]
  :if (([$ClaudeRelaySays ($answer->"confirmed")] != "bool true") || ($text != ($shown->"command")) || \
      ([:tostr ($answer->"classification")] != ($shown->"kind"))) do={
    :error "claude-relay: that is not what was shown; nothing was done"
  }
  $ClaudeRelayRun $text ($shown->"kind")
  :put "Done."
  :return true
}

# Why a command failed: the last one, or one given. [$ClaudeRelayExplain "COMMAND" "ERROR" output="..."]
:global ClaudeRelayExplain do={
  :global ClaudeRelayFinish
  :global ClaudeRelayLastError
  :global ClaudeRelayPlain
  :global ClaudeRelayQuote
  :local command [:tostr $1]
  :local message [:tostr $2]
  :local seen [:tostr $output]
  :if ([:len $command] = 0) do={
    :set command [:tostr ($ClaudeRelayLastError->"command")]
    :set message [:tostr ($ClaudeRelayLastError->"message")]
  }
  :if ([:len $command] = 0) do={ :error "claude-relay: no command failed yet; give one and its error" }
  :local body ("{\"original_command\":" . [$ClaudeRelayQuote $command] . ",\"error_message\":" . \
    [$ClaudeRelayQuote $message])
  :if ([:len $seen] > 0) do={ :set body ($body . ",\"command_output\":" . [$ClaudeRelayQuote $seen]) }
  :local answer [$ClaudeRelayFinish "POST" "/suggest-error-fix" ($body . "}")]
  :local words [$ClaudeRelayPlain ($answer->"suggestion")]
  :put $words
  :return $words
}

# How things stand; no secret is shown. [$ClaudeRelayStatus]
:global ClaudeRelayStatus do={
  :global ClaudeRelayAutoExecute
  :global ClaudeRelayEnabled
  :global ClaudeRelayHandshakeSecret
  :global ClaudeRelayId
  :global ClaudeRelayMacName
  :global ClaudeRelayOn
  :global ClaudeRelayPending
  :global ClaudeRelaySession
  :global ClaudeRelayURL
  :put ("enabled: " . [$ClaudeRelayOn $ClaudeRelayEnabled])
  :put ("relay: " . $ClaudeRelayURL)
  :put ("router id: " . [$ClaudeRelayId])
  :put ("secret set: " . ([:len $ClaudeRelayHandshakeSecret] > 0))
  :put ("requests signed with: " . $ClaudeRelayMacName)
  :put ("session: " . ([:len ($ClaudeRelaySession->"id")] > 0))
  :put ("reads run by themselves, if the relay agrees: " . [$ClaudeRelayOn $ClaudeRelayAutoExecute])
  :put ("waiting for a code: " . ([:len ($ClaudeRelayPending->"code")] > 0))
}

# ---- what this RouterOS can do: found out now, since an unknown word would keep the whole script from loading ----

# JSON without guessing types is of 7.17. Before it "12" comes as a number: what matters is checked to be text.
:global ClaudeRelayJson
:local exact false
:onerror e in={
  :local define [:parse (":global ClaudeRelayJson do={ " . \
    ":return [:deserialize from=json value=\$1 options=json.no-string-conversion] }")]
  $define
  :set exact ([:typeof ([$ClaudeRelayJson "{\"a\":\"12\"}"]->"a")] = "str")
} do={ }
:if (!$exact) do={ :set ClaudeRelayJson do={ :return [:deserialize from=json value=$1] } }

# /tool/fetch, never following a redirect: 7.18 can say so, 7.22 would follow by itself. [fetch method url headers body]
:global ClaudeRelayFetch
:do {
  :local version [:tostr [/system/resource/get version]]
  :local dot [:find $version "."]
  :local minor ""
  :for at from=($dot + 1) to=($dot + 2) do={
    :local digit [:pick $version $at ($at + 1)]
    :if ($digit ~ "^[0-9]\$") do={ :set minor ($minor . $digit) }
  }
  :local more ""
  :if (([:pick $version 0 $dot] != "7") || ([:tonum $minor] >= 18)) do={ :set more " http-max-redirect-count=0" }
  # Only https may be told about certificates.
  :local trust " check-certificate=\$ClaudeRelayCheckCertificate"
  :local get (":set answer [/tool/fetch url=\$2 http-method=get http-header-field=\$3 output=user as-value" . $more)
  :local post (":set answer [/tool/fetch url=\$2 http-method=post http-header-field=\$3 http-data=\$4 " . \
    "output=user as-value" . $more)
  :local define [:parse (":global ClaudeRelayFetch do={ :global ClaudeRelayCheckCertificate; :local answer; " . \
    ":if (\$2 ~ \"^https:\") do={ :if (\$1 = \"GET\") do={ " . $get . $trust . "] } else={ " . $post . $trust . "] } } " . \
    "else={ :if (\$1 = \"GET\") do={ " . $get . "] } else={ " . $post . "] } }; " . \
    ":if (([:tostr (\$answer->\"status\")] != \"finished\")) do={ :error \"not finished\" }; " . \
    ":return (\$answer->\"data\") }")]
  $define
}

:set ClaudeRelayLoaded true
# end of claude-relay
