-- Gives the lease of a term back. The record stays, so that the next term is above this one.
-- KEYS: lease
-- ARGV: term, instance, isActive ('0' or '1'), wasForgotten ('0' or '1')
local term, instance, isActive, wasForgotten = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local held = redis.call('HMGET', KEYS[1], 'term', 'renewals', 'instance', 'isLost')

if held[1] == term and held[3] == instance then
  redis.call('HSET', KEYS[1],
    'instance', '', 'renewals', string.format('%.0f', held[2] + 1), 'isActive', isActive)
elseif wasForgotten == '1'
    and (not held[1] or tonumber(held[1]) < tonumber(term) or (held[1] == term and held[4] == '1')) then
  -- Redis lost this lease. Store that it was held, and released.
  redis.call('HSET', KEYS[1], 'term', term, 'instance', '', 'renewals', '1', 'isActive', isActive,
    'isLost', '0', 'url', '', 'serversUrl', '', 'protocol', '0', 'request', '', 'previous', '[]')
  redis.call('HSETNX', KEYS[1], 'highest', '0')
end
return 1
