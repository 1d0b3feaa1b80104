#!rsc by RouterOS
# install: puts claude-relay on this router, upgrades it, or takes it off. RouterOS 7.15 or newer.
# Upload claude-relay-config.rsc, claude-relay.rsc, claude-relay-hmac.rsc and this file, then, as the user who will ask:
#   /import install.rsc                                                     install, or upgrade; settings stay
#   :global ClaudeRelayInstall "remove"; /import install.rsc                all but the settings
#   :global ClaudeRelayInstall "purge"; /import install.rsc                 the settings and the secret too
# The one who imports needs the policies ftp, read, write, test and policy. The scripts themselves get read, test, ftp.
{
  :global ClaudeRelayInstall
  :local action [:tostr $ClaudeRelayInstall]
  :set ClaudeRelayInstall ""
  :if ([:len $action] = 0) do={ :set action "install" }
  :if (!($action ~ "^(install|upgrade|remove|purge)\$")) do={
    :error "claude-relay: ClaudeRelayInstall must be install, upgrade, remove or purge"
  }
  :local mark "claude-relay, see docs/routers.md"

  :if (($action = "install") || ($action = "upgrade")) do={
    # 1. The texts, all read before anything is changed.
    :local texts [:toarray ""]
    # (A variable called name would mean the property in "where".)
    :foreach part in={"claude-relay-config";"claude-relay-hmac";"claude-relay"} do={
      :local found [/file/find where name~("(^|/)" . $part . "\\.rsc\$")]
      :if ([:len $found] != 1) do={
        :error ("claude-relay: upload " . $part . ".rsc to this router (found " . [:len $found] . " of it)")
      }
      :local text [:tostr [/file/get ($found->0) contents]]
      # What was cut short on its way must not be run: every file of ours ends by saying so.
      :if (!($text ~ "# end of claude-relay[\r\n]*\$")) do={
        :error ("claude-relay: " . $part . ".rsc could not be read whole; upload it again")
      }
      :set ($texts->$part) $text
    }

    # 2. The modules: ours to replace.
    :foreach part in={"claude-relay-hmac";"claude-relay"} do={
      :local script ("modules/" . $part)
      :if ([:len [/system/script/find where name=$script]] = 0) do={
        /system/script/add name=$script source=($texts->$part) policy=read,test,ftp comment=$mark
      } else={
        /system/script/set [/system/script/find where name=$script] source=($texts->$part) policy=read,test,ftp comment=$mark
      }
    }

    # 3. The settings: the owner's. Another project's bot-config is left alone.
    :local settings "bot-config"
    :local existing [/system/script/find where name=$settings]
    :if ([:len $existing] > 0) do={
      :if (!([:tostr [/system/script/get ($existing->0) source]] ~ "ClaudeRelayHandshakeSecret")) do={
        :set settings "claude-relay-config"
        :set existing [/system/script/find where name=$settings]
        :put "There is a bot-config of another project here: the settings are in the script claude-relay-config."
      }
    }
    :if ([:len $existing] = 0) do={
      /system/script/add name=$settings source=($texts->"claude-relay-config") policy=read,test,ftp comment=$mark
      :put ("Settings: /system/script/edit " . $settings . " source")
    } else={ :put ("Settings kept: the script " . $settings) }

    # 4. At start, and every half hour: "startup" with an interval would not run at start, so these are two.
    :local load ("/system/script/run " . $settings . "; /system/script/run modules/claude-relay; ")
    :local connect (":global ClaudeRelayEnabled; :global ClaudeRelayInitCloud; " . \
      ":if ([:tostr \$ClaudeRelayEnabled] = \"true\") do={ :onerror e in={ \$ClaudeRelayInitCloud } " . \
      "do={ :log warning \$e } }")
    :local again (":global ClaudeRelayLoaded; :global ClaudeRelaySession; " . \
      ":if ([:tostr \$ClaudeRelayLoaded] != \"true\") do={ " . $load . "}; " . \
      ":if ([:len (\$ClaudeRelaySession->\"id\")] = 0) do={ " . $connect . " }")
    /system/scheduler/remove [/system/scheduler/find where name~"^claude-relay-(startup|interval)\$"]
    /system/scheduler/add name=claude-relay-startup start-time=startup interval=0s policy=read,test,ftp comment=$mark \
      on-event=(":delay 30s; " . $load . $connect)
    /system/scheduler/add name=claude-relay-interval start-time=00:07:00 interval=30m policy=read,test,ftp comment=$mark \
      on-event=$again

    # 5. What could stand in the way.
    :onerror e in={
      :local read [:parse ":return [/system/device-mode/get]"]
      :local mode [$read]
      :foreach feature in={"fetch";"scheduler"} do={
        :if ([:tostr ($mode->$feature)] ~ "^(false|no)\$") do={
          :put ("Device mode forbids " . $feature . ": /system/device-mode/update " . $feature . "=yes, then press its button")
        }
      }
    } do={ }
    :put "Installed. Now paste the lines that `claude-relay router add NAME` printed on the relay's machine"
    :put "(four lines, ClaudeRelayRouterId among them), then:"
    :put ("  /system/script/run " . $settings)
    :put "  /system/script/run modules/claude-relay"
    :put "  :global ClaudeRelayInitCloud"
    :put "  [\$ClaudeRelayInitCloud]"
    :put ("Put the four lines at the end of " . $settings . " too, or a reboot forgets them.")
    :put "To see whether this router has all it needs: /import selftest.rsc"
  } else={
    /system/scheduler/remove [/system/scheduler/find where name~"^claude-relay-(startup|interval)\$"]
    /system/script/remove [/system/script/find where name~"^modules/claude-relay(-hmac)?\$"]
    :if ($action = "purge") do={
      :foreach script in=[/system/script/find where name~"^(bot-config|claude-relay-config)\$"] do={
        :if ([:tostr [/system/script/get $script comment]] = $mark) do={ /system/script/remove $script }
      }
    }
    /system/script/environment/remove [/system/script/environment/find where name~"^(ClaudeRelay|GetCloudURL)"]
    :put ("Done: " . $action . ". The uploaded files stay; see /file.")
  }
}
# end of claude-relay
