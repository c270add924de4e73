-- Writes a pub-sub server. A remembered one does not replace a registered one, which sends heartbeats.
-- KEYS: servers
-- ARGV: server, origin, when it expires in ms since 1970, the time in ms since 1970
local server, origin, expiresAt, now = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

if origin == 'remembered' then
  local known = redis.call('HGET', KEYS[1], server)
  local knownOrigin, knownExpiry = string.match(known or '', '^(%a+) (%d+)$')
  if knownOrigin == 'registered' and tonumber(knownExpiry) > now then
    return 0
  end
end
redis.call('HSET', KEYS[1], server, origin .. ' ' .. expiresAt)
return 1
