/**
 * What happens in Redis at one visit of a host, as a script: atomic, and told the time by Redis alone, since clocks of
 * hosts differ. The calls themselves lie in the reservoirs of bottleneck's clustered limiters; this script says how much
 * is poured into them, and how much of them the visitor may take.
 *
 * One hash for a fleet holds
 *
 *   seen       when somebody was here last, in ms by the clock of Redis
 *   earned     ms of the whole budget that the pool has earned since it is there
 *   begun      `earned` when the pool began, or began anew, and `epoch`, which tells the one from the other
 *   openAt     until then the pool counts on nobody who has not been here
 *   host:NAME  its share and when its stay ends: `0.1 1790000000000`
 *   from:ID    `epoch` and the `earned` up to which the budget of this operation has been poured
 *
 * The rules, by which no window ever holds more than the limit allows:
 *
 * - A host that is here (its stay has not ended) spends from the pool alone. A host whose stay has ended spends its share
 *   on its own, so the pool earns that much less, and holds that much less, until the host is back or has left for good;
 *   but never less than those who are here would have alone, who would be better off without a pool otherwise.
 * - After nobody was here for a whole stay, Redis may have been gone, frozen, or brought back old, and hosts that the pool
 *   does not know of may be on their own. The pool begins anew: empty, and until all had time to come it earns only the
 *   shares of those who are here. An empty Redis, and a clock of Redis that steps, are the same case.
 * - A visit that comes later than its visitor waits for it changes nothing.
 * - Whoever has used up what is his by right takes only what lies above the bursts of the others who are here: nobody's
 *   heartbeats wait behind another host's news.
 */

/** Words that stand at the head of an answer instead of `ok`. */
export const LATE = 'late';
export const NO_RESERVOIR = 'no-reservoir';

/**
 * KEYS  the fleet's hash; the settings of bottleneck's limiter
 * ARGV  `stay` or `leave`, name, share, notAfterMs, stayMs, gatherMs, earnMsMax, forgetMs;
 *       for a stay that asks for calls also: id, perMs, capacity, burst, wanted, right
 *
 * Answers a word, the time in ms, the number of hosts that are known, the sum of their shares in thousandths, and for
 * calls: how many may be taken now, and in how many ms the next look is worth while.
 */
export const SYNC_SCRIPT = `
local fleet, settings = KEYS[1], KEYS[2]
local verb, name, share = ARGV[1], ARGV[2], tonumber(ARGV[3])
local notAfter, stay, gather = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local earnMax, forget = tonumber(ARGV[7]), tonumber(ARGV[8])

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if now > notAfter then return {'${LATE}', now, 0, 0, 0, 0} end

local asks = ARGV[9] ~= nil
if asks and redis.call('EXISTS', settings) == 0 then return {'${NO_RESERVOIR}', now, 0, 0, 0, 0} end

local known, hosts = {}, {}
local all = redis.call('HGETALL', fleet)
for i = 1, #all, 2 do
  local host = string.match(all[i], '^host:(.*)$')
  if host then
    local part, until_ = string.match(all[i + 1], '^(%S+) (%S+)$')
    hosts[host] = { share = tonumber(part), until_ = tonumber(until_) }
  else
    known[all[i]] = all[i + 1]
  end
end

local seen = tonumber(known.seen)
local earned = tonumber(known.earned) or 0
local begun = tonumber(known.begun) or 0
local epoch = known.epoch
local openAt = tonumber(known.openAt) or 0
if seen == nil or now < seen or now - seen > stay then
  -- Another one each time, also twice in one millisecond, and after a clock that ran ahead.
  epoch = string.format('%.0f', math.max(now, (tonumber(epoch) or 0) + 1))
  begun, openAt, seen = earned, now + gather, now
end

-- How the budget is divided, and how many calls the others have by right of their bursts.
local burst = tonumber(ARGV[12]) or 0
local function bursts(part) return math.max(1, burst * part) end
local function divide()
  local here, away, rights, awayCalls = 0, 0, 0, 0
  for host, it in pairs(hosts) do
    local left = it.until_ - now
    if left >= 0 and left <= stay then
      here = here + it.share
      if host ~= name then rights = rights + bursts(it.share) end
    else
      away = away + it.share
      awayCalls = awayCalls + bursts(it.share)
    end
  end
  local part = here
  if now >= openAt then part = math.max(here, 1 - away) end
  return math.min(part, 1), math.min(here, 1), rights, awayCalls
end

-- Earn by what was so until now, and then be here.
earned = earned + math.min(now - seen, earnMax) * (divide())
for host, it in pairs(hosts) do
  if now - it.until_ > forget then
    hosts[host] = nil
    redis.call('HDEL', fleet, 'host:' .. host)
  end
end
if verb == 'leave' then
  hosts[name] = nil
  redis.call('HDEL', fleet, 'host:' .. name)
else
  hosts[name] = { share = share, until_ = now + stay }
  redis.call('HSET', fleet, 'host:' .. name, share .. ' ' .. string.format('%.0f', now + stay))
end
redis.call('HSET', fleet, 'seen', string.format('%.0f', now), 'earned', string.format('%.3f', earned),
  'begun', string.format('%.3f', begun), 'epoch', epoch, 'openAt', string.format('%.0f', openAt))
redis.call('PEXPIRE', fleet, 2 * forget)

local count, shares = 0, 0
for _, it in pairs(hosts) do
  count = count + 1
  shares = shares + it.share
end
if not asks then return {'ok', now, count, math.floor(shares * 1000 + 0.5), 0, 0} end

local id, perMs, capacity = ARGV[9], tonumber(ARGV[10]), tonumber(ARGV[11])
local wanted, right = tonumber(ARGV[13]), tonumber(ARGV[14])
local part, here, rights, awayCalls = divide()
local level = tonumber(redis.call('HGET', settings, 'reservoir')) or 0
local from
local pouredEpoch, poured = string.match(known['from:' .. id] or '', '^(%S+) (%S+)$')
if pouredEpoch == epoch then from = tonumber(poured) else level, from = 0, begun end

-- Pour what was earned, whole calls only, as far as the bucket holds.
local holds = capacity * here
if now >= openAt then holds = math.max(holds, capacity - awayCalls) end
holds = math.max(1, math.floor(holds))
local calls = math.floor((earned - from) * perMs)
level = level + calls
from = from + calls / perMs
if level >= holds then level, from = holds, earned end
redis.call('HSET', settings, 'reservoir', string.format('%.0f', level))
redis.call('HSET', fleet, 'from:' .. id, epoch .. ' ' .. string.format('%.3f', from))

local reserve = math.min(rights, holds - 1)
local give = math.max(0, math.min(wanted, level, math.max(right, math.floor(level - reserve))))
local wait = 0
if give < 1 then
  local needed = reserve + 1
  if right >= 1 then needed = 1 end
  wait = math.ceil(((needed - level) / perMs - (earned - from)) / part)
end
return {'ok', now, count, math.floor(shares * 1000 + 0.5), give, wait}
`;
