/**
 * Takes the worst case of everything at once, or nothing.
 *
 * ARGV: epoch, instance, request, worst micro-dollars, worst tokens, number of limits, number of budgets; a limit
 * is: its kind (r, i, o refilling; d a day's requests; c concurrency), name, max, window in ms, amount; a budget:
 * its id, counter, from, to (0: no end), bucket in ms (0: not rolling), unit (m, t), limit, wanted; then the scopes
 * whose use it is.
 *
 * Gives `ok` now (remaining reset)* (spent held oldest)* · `limit` now index remaining reset wait ·
 * `budget` now index spent held oldest · `unknown` now index* · `time` now · `rebuilding` · `gone` · `epoch`
 */
const looking = `
local instance, id = ARGV[2], ARGV[3]
local nl, nb = tonumber(ARGV[6]), tonumber(ARGV[7])
local known = redis.call('GET', room .. 'h:' .. id)
if known == 'x' then return {'gone'} end
local take = not known
local day = math.floor(now / (24 * hour))
local others

local function running(name)
  others = others or redis.call('ZRANGEBYSCORE', base .. 'alive', now - 30000, '+inf')
  local sum = redis.call('SCARD', room .. 'c:' .. name .. ':' .. instance)
  for j = 1, #others do
    if others[j] ~= instance then
      sum = sum + redis.call('SCARD', room .. 'c:' .. name .. ':' .. others[j])
    end
  end
  return sum
end

-- A hair: sums of rounded intervals may exceed the window.
local function hairOf(emission) return math.max(emission * 1e-6, 0.001) end

local function standOf(max, window, behind)
  local emission = window / max
  local hair = hairOf(emission)
  return math.floor((window - behind + hair) / emission), math.max(0, math.ceil(behind - hair))
end

-- remaining, reset, wait, and what is to be written on taking
local function look(kind, name, max, window, amount)
  if kind == 'c' then
    return max - running(name), 0, nil
  elseif kind == 'd' then
    local made = tonumber(redis.call('GET', base .. 'd:' .. name .. ':' .. day) or 0)
    local reset = math.ceil((day + 1) * 24 * hour - now)
    return max - made, made > 0 and reset or 0, made < max and 0 or reset, made
  elseif max < 1 then
    return 0, 0, window, fine
  end
  local full = math.max(tonumber(redis.call('GET', base .. 'g:' .. name) or fine), fine)
  local behind, emission = full - fine, window / max
  -- What is bigger than the whole limit would never pass: it passes on a whole one, into debt.
  local over = amount > max and behind or behind + amount * emission - window
  local hair = hairOf(emission)
  local remaining, reset = standOf(max, window, behind)
  return remaining, reset, over <= hair and 0 or math.ceil(over - hair), full
end

local looked, longest, refused = {}, 0, nil
for n = 1, nl do
  local at = 3 + n * 5
  local kind, name = ARGV[at], ARGV[at + 1]
  local max, window, amount = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local remaining, reset, wait, state = look(kind, name, max, window, amount)
  wait = wait or (remaining > 0 and 0 or 1000)
  if wait > longest then
    longest = wait
    refused = {'limit', whole, n - 1, math.max(0, remaining), reset, wait}
  end
  looked[n] = { kind, name, max, window, amount, remaining, reset, state }
end
if take and refused then return refused end`;

const weighing = `
local stands, unknown, least, over = {}, nil, math.huge, nil
for n = 1, nb do
  local at = nl * 5 + n * 8
  local from, to, limit, wanted =
    tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 6]), tonumber(ARGV[at + 7])
  if to > 0 and (now < from or now >= to) then return {'time', whole} end
  local spent, held, oldest = standing(ARGV[at + 1], tonumber(ARGV[at + 4]))
  if not spent then
    unknown = unknown or {'unknown', whole}
    unknown[#unknown + 1] = n - 1
  else
    stands[n] = { spent, held, oldest }
    local left = math.max(0, limit - spent - held)
    if spent + held + wanted > limit and left < least then
      least = left
      over = {'budget', whole, n - 1, spent, held, oldest}
    end
  end
end
if unknown then return rebuilding() and {'rebuilding'} or unknown end
if take and over then return over end`;

const taking = `
local held = { at = whole, i = instance, m = tonumber(ARGV[4]), t = tonumber(ARGV[5]), l = {}, b = {}, c = {}, d = {}, s = {} }
local reply, taken = {'ok', whole}, {}
for n = 1, nl do
  local kind, name, max, window, amount, remaining, reset, state = unpack(looked[n])
  local first = not taken[kind .. name]
  taken[kind .. name] = true
  if take then
    if kind == 'c' then
      if first then held.c[#held.c + 1] = room .. 'c:' .. name .. ':' .. instance end
      remaining = remaining - 1
    elseif kind == 'd' then
      local key = base .. 'd:' .. name .. ':' .. day
      redis.call('SET', key, state + 1, 'PX', 25 * hour)
      held.d[#held.d + 1] = key
      remaining = remaining - 1
      reset = math.ceil((day + 1) * 24 * hour - now)
    else
      local emission = window / max
      local full = state + amount * emission
      redis.call('SET', base .. 'g:' .. name, full, 'PX', math.ceil(full - fine + window))
      remaining, reset = standOf(max, window, full - fine)
      if kind ~= 'r' and first then
        local l = held.l
        l[#l + 1] = name l[#l + 1] = kind l[#l + 1] = amount l[#l + 1] = emission l[#l + 1] = window
      end
    end
  end
  reply[#reply + 1] = math.max(0, remaining)
  reply[#reply + 1] = reset
end
for n = 1, nb do
  local at = nl * 5 + n * 8
  local name, to, bucketMs, wanted =
    ARGV[at + 1], tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4]), tonumber(ARGV[at + 7])
  local spent, inUse, oldest = unpack(stands[n])
  if take and not taken['b' .. name] then
    taken['b' .. name] = true
    local bucket = bucketMs > 0 and math.floor(now / bucketMs) or -1
    count(name, wanted, bucket)
    if to == 0 then keep(room .. 'b:' .. name, to, bucketMs) end
    local b = held.b
    b[#b + 1] = ARGV[at] b[#b + 1] = name b[#b + 1] = ARGV[at + 5] b[#b + 1] = wanted b[#b + 1] = bucket
    inUse = inUse + wanted
    if oldest < 0 and wanted > 0 then oldest = bucket end
  end
  reply[#reply + 1] = spent reply[#reply + 1] = inUse reply[#reply + 1] = oldest
end
if take then
  for at = 8 + nl * 5 + nb * 8, #ARGV do held.s[#held.s + 1] = ARGV[at] end
  if redis.call('EXISTS', room .. 'fresh') == 1 then
    for _, of in ipairs(listNews(held)) do
      if isFilled(of[1]) then count(unpack(of)) end
    end
  end
  hold(id, held)
end
return reply`;

export const ask = [looking, weighing, taking].join("\n");
