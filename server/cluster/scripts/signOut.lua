-- Notes that sessions signed out, with growing numbers, so that others can ask for what is new.
-- KEYS: sign-outs
-- ARGV: highest number that the asker knows, how many are kept, how long they are kept in ms, sessions
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- Above all that others may have read, also when the keys were lost, or the clock was set back.
local number = math.max((tonumber(last[2]) or 0) + 1, tonumber(ARGV[1]) + 1, now)
for i = 4, #ARGV do
  redis.call('ZADD', KEYS[1], 'NX', string.format('%.0f', number + i - 4), ARGV[i])
end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -ARGV[2] - 1)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
