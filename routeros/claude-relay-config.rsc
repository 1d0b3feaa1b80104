#!rsc by RouterOS
# claude-relay-config: the settings of the relay's module. RouterOS 7.15 or newer.
# Kept on the router as the script "bot-config"; an upgrade never overwrites it, so edit it there.
# A value set before (at the terminal, by another script) is left as it is. To let this file decide again:
#   /system/script/environment/remove [find where name~"^ClaudeRelay"]
#   /system/script/run bot-config; /system/script/run modules/claude-relay
# What stands here is readable by every router user with the policy "read", the secret included.

# Nothing is asked of the relay before this is true.
:global ClaudeRelayEnabled
:if ([:typeof $ClaudeRelayEnabled] ~ "^n(il|othing)") do={ :set ClaudeRelayEnabled false }

# Where the relay is, e.g. "https://relay.lan:8899" or "http://192.168.88.10:8899". Wins over /ip cloud.
:global ClaudeRelayURL
:if ([:typeof $ClaudeRelayURL] ~ "^n(il|othing)") do={ :set ClaudeRelayURL "" }

# Look for the relay at this router's own /ip cloud name or address (a port forwarded to it there).
:global ClaudeRelayUseCloud
:if ([:typeof $ClaudeRelayUseCloud] ~ "^n(il|othing)") do={ :set ClaudeRelayUseCloud false }
:global ClaudeRelayCloudPort
:if ([:typeof $ClaudeRelayCloudPort] ~ "^n(il|othing)") do={ :set ClaudeRelayCloudPort 8899 }

# The secret that "claude-relay router add NAME" printed for this router, or the one all routers share.
:global ClaudeRelayHandshakeSecret
:if ([:typeof $ClaudeRelayHandshakeSecret] ~ "^n(il|othing)") do={ :set ClaudeRelayHandshakeSecret "" }

# The NAME of "router add". Empty: the serial number, or the identity made safe.
:global ClaudeRelayRouterId
:if ([:typeof $ClaudeRelayRouterId] ~ "^n(il|othing)") do={ :set ClaudeRelayRouterId "" }

# true: a command that only reads runs without a code, if the relay allows that too. Never a write.
:global ClaudeRelayAutoExecute
:if ([:typeof $ClaudeRelayAutoExecute] ~ "^n(il|othing)") do={ :set ClaudeRelayAutoExecute false }

# true: plain http to public addresses too. What is asked can then be read on the way, though not changed.
:global ClaudeRelayAllowHTTP
:if ([:typeof $ClaudeRelayAllowHTTP] ~ "^n(il|othing)") do={ :set ClaudeRelayAllowHTTP false }

# For https: yes, yes-without-crl or no. The CA must be in /certificate (or built in, from 7.19).
:global ClaudeRelayCheckCertificate
:if ([:typeof $ClaudeRelayCheckCertificate] ~ "^n(il|othing)") do={ :set ClaudeRelayCheckCertificate "yes-without-crl" }

# true: a command that failed is explained at once. That sends the command and its error to the relay.
:global ClaudeRelayErrorSuggestions
:if ([:typeof $ClaudeRelayErrorSuggestions] ~ "^n(il|othing)") do={ :set ClaudeRelayErrorSuggestions false }

# How many seconds to wait for a slow answer.
:global ClaudeRelayTimeout
:if ([:typeof $ClaudeRelayTimeout] ~ "^n(il|othing)") do={ :set ClaudeRelayTimeout 120 }
# end of claude-relay
