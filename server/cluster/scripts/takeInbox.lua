-- Takes the entries of the inbox, for the leader only. They are kept until the next entries are taken, which
-- confirms that they arrived: the answer may be lost, and the leader may die with them. Then they are returned again.
-- KEYS: lease, inbox, taken
-- ARGV: term, instance, request id, confirmed request id or '', how many entries are kept, and for how long in ms
local term, instance, request, confirmed = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local held = redis.call('HMGET', KEYS[1], 'term', 'instance', 'taking')
if held[1] ~= term or held[2] ~= instance then
  return redis.error_reply('NOTLEADER another instance has the lease')
end

-- Unless this request was executed already.
if held[3] ~= request then
  local entries = redis.call('LRANGE', KEYS[2], 0, -1)
  if confirmed ~= '' and held[3] == confirmed then
    if #entries == 0 then
      return {}
    end
    redis.call('DEL', KEYS[3])
  end
  if #entries > 0 then
    redis.call('RPUSH', KEYS[3], unpack(entries))
    redis.call('LTRIM', KEYS[3], -ARGV[5], -1)
    redis.call('PEXPIRE', KEYS[3], ARGV[6])
    redis.call('DEL', KEYS[2])
  end
  redis.call('HSET', KEYS[1], 'taking', request)
end
return redis.call('LRANGE', KEYS[3], 0, -1)
