/** How long counters wait for an instance that was alive to tell its holds to a new epoch. */
const awaitMs = 4_000;

/**
 * Gives the present epoch. A Redis without one, or whose epoch is another server process's (restarted from an old
 * snapshot, a replica promoted), begins a new one: what is counted there cannot be trusted to be whole.
 * So does an instance that follows one which died: what that one held or used without a word, only the ledger knows.
 * And so does one that counted in an earlier epoch and comes to this one when nobody waits for it any more: what it
 * holds and what its journal has since been told may be in no counter here.
 * ARGV: run id, nonce, instance, the one that died or `-`, 1 when it counted before, other instances known to be alive
 */
export const join = `
local run, nonce, instance, died, counted = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5] == '1'
local epoch = redis.call('GET', base .. 'epoch')
local others = {}
for at = 6, #ARGV do others[#others + 1] = ARGV[at] end
local function isLate()
  local room = base .. epoch .. ':'
  return counted and redis.call('SISMEMBER', room .. 'joined', instance) == 0
    and tonumber(redis.call('ZSCORE', room .. 'awaited', instance) or 0) < now
end
if died ~= '-' then redis.call('ZREM', base .. 'alive', died) end
if died ~= '-' or (epoch and isLate()) then
  epoch = nil
  for _, other in ipairs(redis.call('ZRANGEBYSCORE', base .. 'alive', now - 5000, '+inf')) do
    others[#others + 1] = other
  end
end
if not epoch or string.sub(epoch, 1, #run + 1) ~= run .. '.' then
  epoch = run .. '.' .. nonce
  redis.call('SET', base .. 'epoch', epoch, 'PX', 48 * hour)
end
local room = base .. epoch .. ':'
if redis.call('SISMEMBER', room .. 'joined', instance) == 0 then
  others[#others + 1] = instance
  for _, other in ipairs(others) do
    if redis.call('SISMEMBER', room .. 'joined', other) == 0 then
      redis.call('ZADD', room .. 'awaited', 'NX', now + ${awaitMs}, other)
      redis.call('PEXPIRE', room .. 'awaited', hour)
    end
  end
end
redis.call('ZADD', base .. 'alive', now, instance)
redis.call('PEXPIRE', base .. 'alive', 48 * hour)
return {epoch, whole}`;

/**
 * Said after an instance has told all its holds. `late`: nobody waited for that any more.
 * ARGV: epoch, instance, 1 when it counted in an earlier epoch
 */
export const joined = `
local deadline = tonumber(redis.call('ZSCORE', room .. 'awaited', ARGV[2]) or nil)
if ARGV[3] == '1' and deadline and deadline < now then return {'late'} end
redis.call('SADD', room .. 'joined', ARGV[2])
redis.call('PEXPIRE', room .. 'joined', 48 * hour)
redis.call('ZREM', room .. 'awaited', ARGV[2])
return {'ok'}`;

/**
 * Every second: this instance lives. Holds older than a day whose instance is gone are given back.
 * ARGV: epoch, instance. Gives `ok`, now, and the other instances alive.
 */
export const heartbeat = `
redis.call('ZADD', base .. 'alive', now, ARGV[2])
redis.call('ZREMRANGEBYSCORE', base .. 'alive', '-inf', now - hour)
redis.call('PEXPIRE', base .. 'alive', 48 * hour)
redis.call('PEXPIRE', base .. 'epoch', 48 * hour)
redis.call('PEXPIRE', room .. 'joined', 48 * hour)
redis.call('PEXPIRE', room .. 'open', 48 * hour)
local old = redis.call('ZRANGEBYSCORE', room .. 'open', '-inf', now - 24 * hour, 'LIMIT', 0, 100)
for _, id in ipairs(old) do
  local packed = redis.call('GET', room .. 'h:' .. id)
  if not packed or packed == 'x' then redis.call('ZREM', room .. 'open', id)
  elseif not redis.call('ZSCORE', base .. 'alive', cmsgpack.unpack(packed).i) then
    finish(id, packed, { m = 0, i = 0, o = 0, t = 0 })
  end
end
local reply = {'ok', whole}
for _, other in ipairs(redis.call('ZRANGEBYSCORE', base .. 'alive', now - 5000, '+inf')) do
  if other ~= ARGV[2] then reply[#reply + 1] = other end
end
return reply`;

/** Requests of this day by scope, as the ledger knows: no count is ever lowered. ARGV: epoch, then scope, count */
export const counted = `
local day = math.floor(now / (24 * hour))
for at = 2, #ARGV, 2 do
  local key = base .. 'd:' .. ARGV[at] .. ':' .. day
  if tonumber(redis.call('GET', key) or 0) < tonumber(ARGV[at + 1]) then
    redis.call('SET', key, ARGV[at + 1], 'PX', 25 * hour)
  end
end
return {'ok'}`;
