-- Renews the lease if the asker leads, notes that the instance is there, and reads what the others said.
-- KEYS: lease, instances, inbox
-- ARGV: instance, what it says about itself, term to renew ('' if it does not lead), isActive ('0' or '1'),
--       how long an instance is remembered in ms, highest term that the asker knows
-- Returns {1 if renewed, the lease as HGETALL, what each instance said and its age in ms, length of the
--          inbox, highest term that anybody knows}.
local instance, said, term, isActive = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local rememberedMs = tonumber(ARGV[5])
local highest = ARGV[6]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local lease = redis.call('HGETALL', KEYS[1])
if #lease == 0 then
  -- Redis lost the lease, or there never was one. Each such mark is unique, so instances can tell two apart.
  local mark = string.format('%.0f', time[1] * 1000000 + time[2])
  lease = {
    'term', highest, 'highest', highest, 'renewals', mark, 'instance', '', 'isLost', '1', 'isActive', '0',
    'url', '', 'serversUrl', '', 'protocol', '0', 'request', '', 'previous', '[]',
  }
  redis.call('HSET', KEYS[1], unpack(lease))
end
local at = {}
for i = 1, #lease, 2 do
  at[lease[i]] = i + 1
end

-- Redis may have forgotten a term that an instance has seen. Then no instance leads with a lower one.
if tonumber(highest) > tonumber(lease[at.highest]) then
  redis.call('HSET', KEYS[1], 'highest', highest)
else
  highest = lease[at.highest]
end

local renewed = 0
if term ~= '' and lease[at.term] == term and lease[at.instance] == instance
    and tonumber(term) >= tonumber(highest) then
  renewed = 1
  lease[at.renewals] = string.format('%.0f', lease[at.renewals] + 1)
  lease[at.isActive] = isActive
  redis.call('HSET', KEYS[1], 'renewals', lease[at.renewals], 'isActive', isActive)
end

redis.call('HSET', KEYS[2], instance, string.format('%.0f', now) .. ' ' .. said)

local instances = {}
local known = redis.call('HGETALL', KEYS[2])
for i = 1, #known, 2 do
  local atMs, text = string.match(known[i + 1], '^(%d+) (.*)$')
  local ageMs = atMs and now - tonumber(atMs)
  if not ageMs or ageMs > rememberedMs then
    redis.call('HDEL', KEYS[2], known[i])
  else
    instances[#instances + 1] = text
    -- Negative after a jump of the clock.
    instances[#instances + 1] = math.max(0, ageMs)
  end
end

return {renewed, lease, instances, redis.call('LLEN', KEYS[3]), highest}
