/**
 * What happens in Redis at a sync of one host, as a script: atomic, and by the clock of Redis alone, since clocks of
 * hosts differ. The calls themselves lie in the reservoirs of bottleneck's clustered limiters; this script decides how
 * many calls are poured into them, and how many of them the syncing host may take.
 *
 * One hash for a fleet holds
 *
 *   seen       when a host last synced, in ms by the clock of Redis
 *   earned     ms of the whole budget that the pool has earned since it exists
 *   begun      `earned` when the pool was created or last reset, and `epoch`, a number for that moment
 *   openAt     until then the pool counts only hosts that have synced
 *   host:NAME  its share and when its membership expires: `0.1 1790000000000`
 *   from:ID    `epoch` and the `earned` up to which the budget of this operation has been poured
 *
 * These rules keep every window within the limit:
 *
 * - A present host (its membership has not expired) spends from the pool alone. An absent host spends its share on its own, so
 *   the pool earns that much less, and holds that much less, until the host is back or is forgotten; but never less than the
 *   shares of the present hosts, or joining the pool would slow them down.
 * - If no host synced for a whole membership TTL, Redis may have been gone, frozen, or restored from an old copy, and hosts that
 *   the pool does not know may be spending alone. The pool is reset: empty, and until every host had time to sync it earns only
 *   the shares of those that did. An empty Redis and a step of its clock are the same case.
 * - A sync that arrives after its host has stopped waiting for it changes nothing.
 * - A host that has used up its guaranteed share takes only what lies above the bursts of the other present hosts: nobody's
 *   heartbeats wait behind another host's status changes.
 */

/** First member of an answer instead of `ok`. */
export const LATE = 'late';
export const NO_RESERVOIR = 'no-reservoir';

/**
 * KEYS  the fleet's hash; the settings of bottleneck's limiter
 * ARGV  `sync` or `leave`, name, share, notAfterMs, membershipTtlMs, gatherMs, earnMsMax, forgetMs;
 *       for a sync that asks for calls also: id, perMs, capacity, burst, wanted, guaranteed
 *
 * Answers a word, the time in ms, the number of known hosts, the sum of their shares in thousandths, and for calls: how many
 * may be taken now, and in how many ms to ask again.
 */
export const SYNC_SCRIPT = `
local fleet, settings = KEYS[1], KEYS[2]
local verb, name, share = ARGV[1], ARGV[2], tonumber(ARGV[3])
local notAfter, ttl, gather = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
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
if seen == nil or now < seen or now - seen > ttl then
  -- A new number each time, also twice in one millisecond, and after a clock that ran ahead.
  epoch = string.format('%.0f', math.max(now, (tonumber(epoch) or 0) + 1))
  begun, openAt, seen = earned, now + gather, now
end

-- How the budget is divided, and how many calls the others are guaranteed by their bursts.
local burst = tonumber(ARGV[12]) or 0
local function bursts(part) return math.max(1, burst * part) end
local function divide()
  local here, away, guaranteedToOthers, awayCalls = 0, 0, 0, 0
  for host, it in pairs(hosts) do
    local left = it.until_ - now
    if left >= 0 and left <= ttl then
      here = here + it.share
      if host ~= name then guaranteedToOthers = guaranteedToOthers + bursts(it.share) end
    else
      away = away + it.share
      awayCalls = awayCalls + bursts(it.share)
    end
  end
  local part = here
  if now >= openAt then part = math.max(here, 1 - away) end
  return math.min(part, 1), math.min(here, 1), guaranteedToOthers, awayCalls
end

-- Earn for the time until now, then mark this host as present.
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
  hosts[name] = { share = share, until_ = now + ttl }
  redis.call('HSET', fleet, 'host:' .. name, share .. ' ' .. string.format('%.0f', now + ttl))
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
local wanted, guaranteed = tonumber(ARGV[13]), tonumber(ARGV[14])
local part, here, guaranteedToOthers, awayCalls = divide()
local level = tonumber(redis.call('HGET', settings, 'reservoir')) or 0
local from
local pouredEpoch, poured = string.match(known['from:' .. id] or '', '^(%S+) (%S+)$')
if pouredEpoch == epoch then from = tonumber(poured) else level, from = 0, begun end

-- Pour what was earned, whole calls only, up to the capacity of the bucket.
local holds = capacity * here
if now >= openAt then holds = math.max(holds, capacity - awayCalls) end
holds = math.max(1, math.floor(holds))
local calls = math.floor((earned - from) * perMs)
level = level + calls
from = from + calls / perMs
if level >= holds then level, from = holds, earned end
redis.call('HSET', settings, 'reservoir', string.format('%.0f', level))
redis.call('HSET', fleet, 'from:' .. id, epoch .. ' ' .. string.format('%.3f', from))

local reserve = math.min(guaranteedToOthers, holds - 1)
local give = math.max(0, math.min(wanted, level, math.max(guaranteed, math.floor(level - reserve))))
local wait = 0
if give < 1 then
  local needed = reserve + 1
  if guaranteed >= 1 then needed = 1 end
  wait = math.ceil(((needed - level) / perMs - (earned - from)) / part)
end
return {'ok', now, count, math.floor(shares * 1000 + 0.5), give, wait}
`;
