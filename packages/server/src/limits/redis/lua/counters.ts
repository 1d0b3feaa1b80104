/** The requests of a budget's window that Redis itself knows: open ones, and those booked before it was filled. */
const ownRequests = `
local function ownRequests(name, budget, from, to)
  local ids = redis.call('SMEMBERS', room .. 't:' .. name)
  local holds = {}
  for _, id in ipairs(redis.call('SMEMBERS', room .. 'u:' .. budget)) do
    local packed = redis.call('GET', room .. 'h:' .. id)
    if packed and packed ~= 'x' then
      local hold = cmsgpack.unpack(packed)
      if not hold.g and hold.at >= from and (to == 0 or hold.at < to) then
        ids[#ids + 1] = id
        holds[#holds + 1] = { id, hold }
      end
    end
  end
  return ids, holds
end`;

/**
 * Puts the budget on every request of its scope that is open, or lost, and did not know of it, because it was set or
 * heard of later: however they end, the counter has them. Only those asked before `before` can be such, and whoever asks until then
 * may not have heard of it: it is kept among the news.
 *
 * ARGV: epoch, counter, budget, from, to, bucket in ms, unit, scope, before. Gives `ok` and the ids of the window's
 * requests that Redis itself knows: the ledger leaves them out · `rebuilding`: somebody may still be about to tell
 * the ledger of what no other knows, so that it is not to be read yet.
 */
export const own = `${ownRequests}
local name, budget, from, to = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local bucketMs, unit, scope = tonumber(ARGV[6]), ARGV[7], ARGV[8]
if rebuilding() then return {'rebuilding'} end

local function adopt(id, held)
  local isNew = list(held, budget, name, unit, held[unit], bucketMs)
  local bucket = bucketMs > 0 and math.floor(held.at / bucketMs) or -1
  if held.g then
    if isNew then keepLost(id, held) end
    local isBooked = redis.call('SISMEMBER', room .. 't:' .. name, id) == 1
    if isFilled(name) and isNew or not (isFilled(name) or isBooked) then book(id, name, held[unit], bucket) end
  elseif isNew then
    hold(id, held)
    if isFilled(name) then count(name, held[unit], bucket) end
  end
end

for _, kind in ipairs({ 'open', 'lost' }) do
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', room .. kind, from, ARGV[9])) do
    local packed = redis.call('GET', room .. 'h:' .. id)
    if packed and packed ~= 'x' then
      local held = cmsgpack.unpack(packed)
      local isOurs = false
      for _, of in ipairs(held.s) do isOurs = isOurs or of == scope end
      for j = 1, #held.b, 5 do isOurs = isOurs or held.b[j] == budget end
      if isOurs and (to == 0 or held.at < to) then adopt(id, held) end
    end
  end
end
local before = tonumber(ARGV[9])
if before > now and before < math.huge then
  local news = {
    name = name, budget = budget, from = from, to = to, bucketMs = bucketMs, unit = unit, scope = scope, before = before,
  }
  redis.call('HSET', room .. 'news', name, cmsgpack.pack(news))
  redis.call('PEXPIRE', room .. 'news', 25 * hour)
  local left = math.max(math.ceil(before - now), redis.call('PTTL', room .. 'fresh'))
  redis.call('SET', room .. 'fresh', 1, 'PX', left)
end
local reply = ownRequests(name, budget, from, to)
table.insert(reply, 1, 'ok')
return reply`;

/**
 * Adds the ledger's sum to a counter, once, and what open requests hold of the budget; then it is known.
 * `again` when there are other such requests than the ledger left out.
 * ARGV: epoch, counter, budget, from, to, bucket in ms, unit, how many requests were left out, they, then the sum, or
 * for a rolling window bucket and amount in turn.
 */
export const fill = `${ownRequests}
local name, budget, from, to = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local bucketMs, unit, out = tonumber(ARGV[6]), ARGV[7], tonumber(ARGV[8])
local key = room .. 'b:' .. name
if isFilled(name) then return {'ok'} end
if rebuilding() then return {'rebuilding'} end
local ids, holds = ownRequests(name, budget, from, to)
local left = {}
for at = 9, 8 + out do left[ARGV[at]] = true end
if #ids ~= out then return {'again'} end
for _, id in ipairs(ids) do if not left[id] then return {'again'} end end

redis.call('HSET', key, 'f', 1)
if bucketMs == 0 then spend(name, tonumber(ARGV[9 + out]), -1)
else
  for at = 9 + out, #ARGV, 2 do spend(name, tonumber(ARGV[at + 1]), tonumber(ARGV[at])) end
end
for _, entry in ipairs(holds) do
  local id, held = entry[1], entry[2]
  local bucket = bucketMs > 0 and math.floor(held.at / bucketMs) or -1
  if list(held, budget, name, unit, held[unit], bucketMs) then hold(id, held) end
  count(name, held[unit], bucket)
end
keep(key, to, bucketMs)
redis.call('DEL', room .. 't:' .. name)
redis.call('SADD', room .. 'n:' .. budget, name)
redis.call('PEXPIRE', room .. 'n:' .. budget, 60 * 24 * hour)
return {'ok'}`;

/**
 * How counters stand. ARGV: epoch, then counter, bucket in ms, from and to in turn.
 * Gives `ok`, now, and of each spent (-1: nobody has filled it), held, oldest bucket · `time` now
 */
export const stands = `
local reply = {'ok', whole}
for at = 2, #ARGV, 4 do
  local to = tonumber(ARGV[at + 3])
  if to > 0 and (now < tonumber(ARGV[at + 2]) or now >= to) then return {'time', whole} end
  local spent, held, oldest = standing(ARGV[at], tonumber(ARGV[at + 1]))
  reply[#reply + 1] = spent or -1
  reply[#reply + 1] = held or 0
  reply[#reply + 1] = oldest or -1
end
return reply`;

/** Drops a budget's counters and what open requests hold of it. ARGV: epoch, budget */
export const forgetBudget = `
local budget = ARGV[2]
for _, id in ipairs(redis.call('SMEMBERS', room .. 'u:' .. budget)) do
  local packed = redis.call('GET', room .. 'h:' .. id)
  if packed and packed ~= 'x' then
    local hold = cmsgpack.unpack(packed)
    local kept = {}
    for j = 1, #hold.b, 5 do
      if hold.b[j] ~= budget then
        for k = j, j + 4 do kept[#kept + 1] = hold.b[k] end
      end
    end
    hold.b = kept
    redis.call('SET', room .. 'h:' .. id, cmsgpack.pack(hold), 'KEEPTTL')
  end
end
for _, name in ipairs(redis.call('SMEMBERS', room .. 'n:' .. budget)) do
  redis.call('DEL', room .. 'b:' .. name, room .. 't:' .. name)
end
redis.call('DEL', room .. 'u:' .. budget, room .. 'n:' .. budget)
for _, packed in ipairs(redis.call('HVALS', room .. 'news')) do
  local news = cmsgpack.unpack(packed)
  if news.budget == budget then redis.call('HDEL', room .. 'news', news.name) end
end
return {'ok'}`;
