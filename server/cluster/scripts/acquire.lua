-- Takes the lease if it still is what the asker saw: compare-and-set of term and renewals.
-- KEYS: lease
-- ARGV: instance, request id, seen term, seen renewals, highest term known,
--       url, url for servers, protocol
-- Returns {1, the lease, the one before} or {0, the lease}. A lease is the reply of HGETALL.
local instance, request, seenTerm, seenRenewals = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local before = redis.call('HGETALL', KEYS[1])
local lease = {}
for i = 1, #before, 2 do
  lease[before[i]] = before[i + 1]
end

-- This request was executed already.
if lease.instance == instance and lease.request == request then
  return {1, before, cjson.decode(lease.previous)}
end

if lease.term ~= seenTerm or lease.renewals ~= seenRenewals then
  return {0, before}
end

-- The term is drawn here: above the last one, all that the asker knows, and the time. So it does not go
-- back when Redis loses its keys, or when its clock is set back.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = math.max(tonumber(lease.term), tonumber(lease.highest), tonumber(ARGV[5]))
local term = math.max(known + 1, now)

lease.previous = nil
local previous = {}
for field, value in pairs(lease) do
  previous[#previous + 1] = field
  previous[#previous + 1] = value
end
redis.call('HSET', KEYS[1],
  'term', string.format('%.0f', term), 'renewals', '1', 'instance', instance, 'request', request,
  'url', ARGV[6], 'serversUrl', ARGV[7], 'protocol', ARGV[8], 'isActive', lease.isActive, 'isLost', '0',
  'previous', cjson.encode(previous))
return {1, redis.call('HGETALL', KEYS[1]), previous}
