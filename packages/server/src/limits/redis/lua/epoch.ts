/** How long counters wait for an instance that was alive to tell its holds to a new epoch. */
const awaitMs = 4_000;

/**
 * What those hold, or lost, who will not tell it themselves: the ledger may never hear of it. Whoever comes back after
 * all begins another epoch, without it.
 */
const inheriting = `
local function inherit(former, room, told)
  for _, kind in ipairs({ 'open', 'lost' }) do
    for _, id in ipairs(redis.call('ZRANGE', former .. kind, 0, -1)) do
      local packed = redis.call('GET', former .. 'h:' .. id)
      local held = packed and packed ~= 'x' and cmsgpack.unpack(packed)
      if held and not told[held.i] then
        for j = 1, #held.c do
          held.c[j] = room .. string.sub(held.c[j], #former + 1)
          redis.call('SADD', held.c[j], id)
          redis.call('PEXPIRE', held.c[j], 25 * hour)
        end
        for j = 1, kind == 'open' and #held.b or 0, 5 do
          redis.call('SADD', room .. 'u:' .. held.b[j], id)
          redis.call('PEXPIRE', room .. 'u:' .. held.b[j], 48 * hour)
        end
        redis.call('SET', room .. 'h:' .. id, cmsgpack.pack(held), 'PX', redis.call('PTTL', former .. 'h:' .. id))
        redis.call('ZADD', room .. kind, held.at, id)
        redis.call('PEXPIRE', room .. kind, (kind == 'open' and 2 or 400) * 24 * hour)
      end
    end
  end
end`;

/**
 * Gives the present epoch. A Redis without one, or whose epoch is another server process's (restarted from an old
 * snapshot, a replica promoted), begins a new one: what is counted there cannot be trusted to be whole.
 * So does an instance that follows one which died: what that one held or used without a word, only the ledger knows.
 * And so does one that counted in an earlier epoch and comes to this one when nobody waits for it any more: what it
 * holds and what its journal has since been told may be in no counter here.
 * Or one that let requests end without a word since some time, when a budget was set about then that may be theirs.
 * ARGV: run id, nonce, instance, the one that died or `-`, 1 when it counted before, that time or `-`, other instances
 * known to be alive
 */
export const join = `${inheriting}
local run, nonce, instance, died, counted = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5] == '1'
local silentSince = tonumber(ARGV[6])
local epoch = redis.call('GET', base .. 'epoch')
local others = {}
for at = 7, #ARGV do others[#others + 1] = ARGV[at] end
local former = epoch and string.sub(epoch, 1, #run + 1) == run .. '.' and base .. epoch .. ':'
local function isLate()
  local room = base .. epoch .. ':'
  return counted and redis.call('SISMEMBER', room .. 'joined', instance) == 0
    and tonumber(redis.call('ZSCORE', room .. 'awaited', instance) or 0) < now
end
local function missesNews()
  for _, packed in ipairs(silentSince and redis.call('HVALS', base .. epoch .. ':news') or {}) do
    if cmsgpack.unpack(packed).before >= silentSince then return true end
  end
end
if died ~= '-' then redis.call('ZREM', base .. 'alive', died) end
if died ~= '-' or (epoch and (isLate() or missesNews())) then
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
if former and former ~= room then
  local told = { [instance] = true, [died] = true }
  for _, other in ipairs(others) do told[other] = true end
  inherit(former, room, told)
end
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
 * Every second: this instance lives. Holds older than a day whose instance is gone are lost: spent as they were held,
 * for what was sent is on a disk that nobody reads.
 * ARGV: epoch, instance. Gives `ok`, now, and the other instances alive.
 */
export const heartbeat = `
redis.call('ZADD', base .. 'alive', now, ARGV[2])
redis.call('PEXPIRE', base .. 'alive', 48 * hour)
redis.call('PEXPIRE', base .. 'epoch', 48 * hour)
redis.call('PEXPIRE', room .. 'joined', 48 * hour)
redis.call('PEXPIRE', room .. 'open', 48 * hour)
-- After a gap, whoever beats first must not take the others for gone.
local steady = redis.call('HMGET', base .. 'steady', 'since', 'last')
local since, last = tonumber(steady[1] or now), tonumber(steady[2] or 0)
if now - last > 30000 then since = now end
redis.call('HSET', base .. 'steady', 'since', since, 'last', now)
redis.call('PEXPIRE', base .. 'steady', 48 * hour)
local old = {}
if now - since >= 60000 then
  redis.call('ZREMRANGEBYSCORE', base .. 'alive', '-inf', now - hour)
  old = redis.call('ZRANGEBYSCORE', room .. 'open', '-inf', now - 24 * hour, 'LIMIT', 0, 100)
end
for _, id in ipairs(old) do
  local packed = redis.call('GET', room .. 'h:' .. id)
  if not packed or packed == 'x' then redis.call('ZREM', room .. 'open', id)
  elseif not redis.call('ZSCORE', base .. 'alive', cmsgpack.unpack(packed).i) then
    local held = cmsgpack.unpack(packed)
    finish(id, packed, {})
    held.g, held.l, held.c, held.d = 1, {}, {}, {}
    keepLost(id, held)
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
