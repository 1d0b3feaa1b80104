/**
 * Ends a hold. Without a hold (settled before, never granted, of an earlier epoch) nothing changes.
 * ARGV: epoch, request, then what was used, each a number or `-` for what was held: micro-dollars, input tokens,
 * output tokens, tokens; then 1 when upstream was never called
 */
export const settle = `
local packed = redis.call('GET', room .. 'h:' .. ARGV[2])
if packed and packed ~= 'x' then
  finish(ARGV[2], packed,
    { m = tonumber(ARGV[3]), i = tonumber(ARGV[4]), o = tonumber(ARGV[5]), t = tonumber(ARGV[6]), unsent = ARGV[7] == '1' })
end
return {'ok'}`;

/**
 * Tells Redis of a request it was not asked about, or may have been: granted while it was away, or by an epoch that
 * is gone. What it knows already is not counted again, and a request that is over leaves a mark, so that an ask
 * still on its way finds it.
 *
 * ARGV: epoch, instance, request, when it was asked, `open` or `over`, worst micro-dollars, worst tokens, what was
 * used (as for settle), number of budgets; a budget is: its id, counter, to, bucket in ms, unit, wanted; then how
 * many concurrency limits, their names, and the scopes whose use it is.
 */
export const tell = `
local instance, id, asked, over = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5] == 'over'
local used = {
  m = tonumber(ARGV[8]), i = tonumber(ARGV[9]), o = tonumber(ARGV[10]), t = tonumber(ARGV[11]), unsent = ARGV[12] == '1',
}
local holdKey = room .. 'h:' .. id
local known = redis.call('GET', holdKey)
if known == 'x' or (known and not over) then return {'ok'} end
if known then
  finish(id, known, used)
  redis.call('SET', holdKey, 'x', 'PX', hour)
  return {'ok'}
end
local held = { at = asked, i = instance, m = tonumber(ARGV[6]), t = tonumber(ARGV[7]), l = {}, b = {}, c = {}, s = {} }
local nb = tonumber(ARGV[13])
for n = 1, nb do
  local at = 8 + n * 6
  local to = tonumber(ARGV[at + 2])
  -- A window long over is nobody's concern any more.
  if to == 0 or to + 24 * hour > now then
    list(held, ARGV[at], ARGV[at + 1], ARGV[at + 4], tonumber(ARGV[at + 5]), tonumber(ARGV[at + 3]))
  end
end
local last = 14 + nb * 6 + tonumber(ARGV[14 + nb * 6])
for at = last + 1, #ARGV do held.s[#held.s + 1] = ARGV[at] end
listNews(held)
for j = 1, #held.b, 5 do
  local name, wanted, bucket = held.b[j + 1], held.b[j + 3], held.b[j + 4]
  if over then book(id, name, used[held.b[j + 2]] or wanted, bucket)
  elseif isFilled(name) then count(name, wanted, bucket) end
end
if over then
  redis.call('SET', holdKey, 'x', 'PX', hour)
  return {'ok'}
end
for at = 15 + nb * 6, last do
  held.c[#held.c + 1] = room .. 'c:' .. ARGV[at] .. ':' .. instance
end
hold(id, held)
return {'ok'}`;
