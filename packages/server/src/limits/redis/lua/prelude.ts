/**
 * What every script begins with. KEYS[1] is the base of all names (prefix and hash tag); `now` is Redis's own time
 * in ms, so that all instances share one clock.
 *
 * Names below the base:
 *   epoch                      the present generation of counters: `<run id>.<nonce>`
 *   alive                      instances by their last heartbeat
 *   steady                     since when heartbeats came without a gap, and the last one
 *   g:<scope:kind:max:window>  a refilling limit: the time at which it is whole again (GCRA),
 *                              in ms since 2026
 *   d:<scope>:<day>            requests of a UTC day
 * and below the epoch, void when it is:
 *   b:<counter>                a budget's window: f(illed), s(pent), h(eld); rolling: o(ldest bucket), and by bucket
 *                              b<n> spent, g<n> held
 *   t:<counter>                requests booked before the counter was filled: the ledger leaves them out
 *   u:<budget>, n:<budget>     its open requests; its counters
 *   h:<request>                a hold, packed; `x` when it is over for good
 *   c:<scope>:<instance>       requests this instance has running
 *   open                       holds by age
 *   lost                       by age too: spent as held, for whoever held them never came back
 *   news                       counters of budgets set lately, packed, by name
 *   fresh                      while some instance may not have heard of one of them
 *   joined, awaited            who has told its holds to this epoch; who must still, until when
 */
export const redisTime = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000`;

/** @param time Lua that sets `now`. */
export const clock = (time: string): string => `
local base = KEYS[1]
${time}
local hour = 3600000
local whole = math.floor(now)
-- Limits count from 2026: so near to zero a double tells a hundredth of a microsecond.
local fine = now - 1767225600000`;

/** ARGV[1] is the epoch the instance has joined; with any other nothing is done. */
export const present = `
local epoch = ARGV[1]
if redis.call('GET', base .. 'epoch') ~= epoch then return {'epoch'} end
local room = base .. epoch .. ':'`;

/** A counter of disuse may go: what is absent is read from the ledger again, never taken for zero. */
export const expiry = `
local function keep(key, to, bucketMs)
  local ms = 40 * 24 * hour
  if to > 0 then ms = math.max(to - now, 0) + 25 * hour
  elseif bucketMs > 0 then ms = bucketMs * 121 + 25 * hour end
  redis.call('PEXPIRE', key, math.ceil(ms))
end`;

/**
 * Ends holds: what was held becomes what was used (m micro-dollars, t all tokens, i input, o output); `unsent`: upstream
 * was never called, and the day's request is given back too, to the day it was asked on.
 */
export const finishing = `
local function spend(name, amount, bucket)
  local key = room .. 'b:' .. name
  redis.call('HINCRBY', key, 's', amount)
  if bucket >= 0 and amount > 0 then
    redis.call('HINCRBY', key, 'b' .. bucket, amount)
    local oldest = tonumber(redis.call('HGET', key, 'o') or nil)
    if not oldest or bucket < oldest then redis.call('HSET', key, 'o', bucket) end
  end
end

-- Until a counter is filled, what is booked on it is marked, so that the ledger's sum leaves it out.
local function book(id, name, amount, bucket)
  if not redis.call('HGET', room .. 'b:' .. name, 'f') then
    redis.call('SADD', room .. 't:' .. name, id)
    redis.call('PEXPIRE', room .. 't:' .. name, 25 * hour)
    spend(name, amount, bucket)
    redis.call('PEXPIRE', room .. 'b:' .. name, 25 * hour)
  elseif amount > 0 then
    spend(name, amount, bucket)
  end
end

local function unhold(name, wanted, bucket)
  local key = room .. 'b:' .. name
  if wanted == 0 or not redis.call('HGET', key, 'f') then return end
  if bucket >= 0 then
    local of = 'g' .. bucket
    if redis.call('HEXISTS', key, of) == 0 then return end
    if redis.call('HINCRBY', key, of, -wanted) <= 0 then redis.call('HDEL', key, of) end
  end
  if redis.call('HINCRBY', key, 'h', -wanted) < 0 then redis.call('HSET', key, 'h', 0) end
end

local function correct(name, window, delta)
  local key = base .. 'g:' .. name
  local full = math.max(tonumber(redis.call('GET', key) or fine), fine) + delta
  if full <= fine then redis.call('DEL', key)
  else redis.call('SET', key, full, 'PX', math.ceil(full - fine + window)) end
end

-- Given up before and settled after all: what it used beyond what was booked is added, nothing is given back.
local function finishLost(id, hold, used)
  local b = hold.b
  for j = 1, #b, 5 do
    local name, beyond = b[j + 1], (used[b[j + 2]] or 0) - b[j + 3]
    local isBooked = redis.call('HGET', room .. 'b:' .. name, 'f') or redis.call('SISMEMBER', room .. 't:' .. name, id) == 1
    if isBooked and beyond > 0 then spend(name, beyond, b[j + 4]) end
  end
  redis.call('DEL', room .. 'h:' .. id)
  redis.call('ZREM', room .. 'lost', id)
end

local function finish(id, packed, used)
  local hold = cmsgpack.unpack(packed)
  if hold.g then return finishLost(id, hold, used) end
  local b, l = hold.b, hold.l
  for j = 1, #b, 5 do
    unhold(b[j + 1], b[j + 3], b[j + 4])
    book(id, b[j + 1], used[b[j + 2]] or b[j + 3], b[j + 4])
    redis.call('SREM', room .. 'u:' .. b[j], id)
  end
  for j = 1, #l, 5 do
    local delta = ((used[l[j + 1]] or l[j + 2]) - l[j + 2]) * l[j + 3]
    if delta ~= 0 then correct(l[j], l[j + 4], delta) end
  end
  for j = 1, #hold.c do redis.call('SREM', hold.c[j], id) end
  for _, key in ipairs(used.unsent and hold.d or {}) do
    if tonumber(redis.call('GET', key) or 0) > 0 then redis.call('DECR', key) end
  end
  redis.call('DEL', room .. 'h:' .. id)
  redis.call('ZREM', room .. 'open', id)
end`;

/** Keeps what nobody will settle: no journal that can be read knows of it. */
export const losing = `
local function keepLost(id, held)
  redis.call('SET', room .. 'h:' .. id, cmsgpack.pack(held), 'PX', 400 * 24 * hour)
  redis.call('ZADD', room .. 'lost', held.at, id)
  redis.call('PEXPIRE', room .. 'lost', 400 * 24 * hour)
end`;

/** Keeps a hold. Whatever it lists is kept as long as it can be. */
export const holding = `
local function hold(id, held)
  redis.call('SET', room .. 'h:' .. id, cmsgpack.pack(held), 'PX', 48 * hour)
  redis.call('ZADD', room .. 'open', held.at, id)
  for j = 1, #held.b, 5 do
    redis.call('SADD', room .. 'u:' .. held.b[j], id)
    redis.call('PEXPIRE', room .. 'u:' .. held.b[j], 48 * hour)
  end
  for j = 1, #held.c do
    redis.call('SADD', held.c[j], id)
    redis.call('PEXPIRE', held.c[j], 25 * hour)
  end
end

-- Whether the counter is listed now and was not before.
local function list(held, budget, name, unit, wanted, bucketMs)
  local b = held.b
  for j = 2, #b, 5 do if b[j] == name then return false end end
  local bucket = bucketMs > 0 and math.floor(held.at / bucketMs) or -1
  b[#b + 1] = budget b[#b + 1] = name b[#b + 1] = unit b[#b + 1] = wanted b[#b + 1] = bucket
  return true
end

local function count(name, wanted, bucket)
  local key = room .. 'b:' .. name
  redis.call('HINCRBY', key, 'h', wanted)
  if bucket >= 0 and wanted > 0 then
    redis.call('HINCRBY', key, 'g' .. bucket, wanted)
    local oldest = tonumber(redis.call('HGET', key, 'o') or nil)
    if not oldest or bucket < oldest then redis.call('HSET', key, 'o', bucket) end
  end
end

local function isFilled(name) return redis.call('HGET', room .. 'b:' .. name, 'f') end`;

/**
 * Budgets of which whoever asks, or tells, may not have heard: a request of their scope counts for them all the
 * same, from the first, so that it is in no window missing however soon it is over.
 */
export const hearing = `
local function listNews(held)
  local listed = {}
  for _, packed in ipairs(redis.call('HVALS', room .. 'news')) do
    local n = cmsgpack.unpack(packed)
    local isOurs = held.at >= n.from and (n.to == 0 or held.at < n.to) and held.at <= n.before
    if isOurs then
      isOurs = false
      for _, of in ipairs(held.s) do isOurs = isOurs or of == n.scope end
    end
    if isOurs and list(held, n.budget, n.name, n.unit, held[n.unit], n.bucketMs) then
      listed[#listed + 1] = { n.name, held[n.unit], held.b[#held.b] }
    end
  end
  return listed
end`;

/** How a counter stands: spent, held, oldest bucket in use (or -1); nil while nobody has filled it. */
export const standing = `
local function forget(key, lowest)
  local all = redis.call('HGETALL', key)
  local sums, oldest = { b = 0, g = 0 }, nil
  for j = 1, #all, 2 do
    local kind, bucket = string.sub(all[j], 1, 1), tonumber(string.sub(all[j], 2))
    if bucket then
      if bucket < lowest then redis.call('HDEL', key, all[j])
      else
        sums[kind] = sums[kind] + tonumber(all[j + 1])
        if not oldest or bucket < oldest then oldest = bucket end
      end
    end
  end
  redis.call('HSET', key, 's', sums.b, 'h', sums.g)
  if oldest then redis.call('HSET', key, 'o', oldest) else redis.call('HDEL', key, 'o') end
  return sums.b, sums.g, oldest or -1
end

local function standing(name, bucketMs)
  local key = room .. 'b:' .. name
  local v = redis.call('HMGET', key, 'f', 's', 'h', 'o')
  if not v[1] then return nil end
  local oldest = tonumber(v[4] or nil)
  if bucketMs > 0 and oldest then
    -- The window is the bucket of now and the 120 before it: nothing leaves before all of it is old enough.
    local lowest = math.floor(now / bucketMs) - 120
    local inUse = redis.call('HMGET', key, 'b' .. oldest, 'g' .. oldest)
    if oldest < lowest or not (inUse[1] or inUse[2]) then return forget(key, lowest) end
  end
  return tonumber(v[2] or 0), tonumber(v[3] or 0), oldest or -1
end

local function rebuilding() return redis.call('ZCOUNT', room .. 'awaited', now, '+inf') > 0 end`;
