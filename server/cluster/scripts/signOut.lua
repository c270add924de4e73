-- Remembers sessions that signed out, until they expire. If they are too many, forgets those that expire first:
-- all sessions that expire no later than these are refused then.
-- KEYS: sign-outs, about them
-- ARGV: how many are remembered, how long the keys are kept in ms, now in ms, then id and expiry of each session
local signOuts, about = KEYS[1], KEYS[2]
for i = 4, #ARGV, 2 do
  redis.call('ZADD', signOuts, ARGV[i + 1], ARGV[i])
end
redis.call('ZREMRANGEBYSCORE', signOuts, '-inf', ARGV[3])
local max = tonumber(ARGV[1])
if redis.call('ZCARD', signOuts) > max then
  local last = math.floor(max / 2) - 1
  local dropped = redis.call('ZRANGE', signOuts, last, last, 'WITHSCORES')
  redis.call('ZREMRANGEBYRANK', signOuts, 0, last)
  redis.call('HSET', about, 'refusedUntil', dropped[2])
end
-- Never the same twice, even if Redis loses its keys.
local now = redis.call('TIME')
redis.call('HSET', about, 'version', now[1] .. '.' .. now[2])
redis.call('PEXPIRE', signOuts, ARGV[2])
redis.call('PEXPIRE', about, ARGV[2])
return 1
