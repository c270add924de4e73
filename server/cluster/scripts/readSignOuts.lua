-- The sessions that signed out, if that changed: version, until when others are refused, id and expiry of each.
-- KEYS: sign-outs, about them
-- ARGV: the version that the asker knows
local version = redis.call('HGET', KEYS[2], 'version') or ''
if version == ARGV[1] then
  return {version}
end
local refusedUntil = redis.call('HGET', KEYS[2], 'refusedUntil') or '0'
return {version, refusedUntil, redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')}
