import { clock, redisTime } from "./prelude.ts";

/** A notice is kept so long after it is over: who was away then must not tell an earlier one. */
const keptMs = 3_600_000;

/**
 * Compares what an instance knows of some notices with what is kept here. What it knows better is kept and told to
 * all; the rest it is told. Ages and ends are by Redis's own clock, so that instances need not agree on the time.
 *
 * ARGV: instance, channel, then of each its name, value (empty: knows none), version (`-`: never told), the version's
 * time in ms from now when it was never told (0: this moment, later than all before it), and for how long in ms.
 * Gives of each the value kept (empty: none), its version and what is left in ms. Tells `instance name value version
 * left`.
 */
export const noticesLua = `${clock(redisTime)}
local micros, reply = math.floor(now * 1000), {}
for at = 3, #ARGV, 5 do
  local name, value, version = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local offset, ms = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local key = base .. 'notice:' .. name
  local kept = redis.call('HMGET', key, 'value', 'version', 'ends')
  local best, known, ends = kept[1] or '', tonumber(kept[2] or 0), tonumber(kept[3] or 0)
  if value ~= '' then
    if not version then
      version = micros + offset * 1000
      if offset == 0 then version = math.max(version, known + 1) end
    end
    if version > known then
      best, known, ends = value, version, whole + ms
      redis.call('HSET', key, 'value', best, 'version', string.format('%.0f', known), 'ends', ends)
      redis.call('PEXPIRE', key, ms + ${keptMs})
      local said = { ARGV[1], name, best, string.format('%.0f', known), ms }
      redis.call('PUBLISH', ARGV[2], table.concat(said, ' '))
    end
  end
  reply[#reply + 1] = best
  reply[#reply + 1] = string.format('%.0f', known)
  reply[#reply + 1] = string.format('%.0f', math.max(0, ends - whole))
end
return reply`;
