-- Appends entries to the inbox and bounds it: by number, and by the time since the last entry.
-- KEYS: inbox
-- ARGV: how many entries it may have, how long it is kept in ms, entries
redis.call('RPUSH', KEYS[1], unpack(ARGV, 3))
redis.call('LTRIM', KEYS[1], -ARGV[1], -1)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
