-- Tries every command that the scripts use, on a key of its own, and tells which layout the bucket has.
-- A right that is missing is found here, and not by half a commit.
--
-- KEYS[1]  the root of a bucket
-- ARGV     1 the layout that we write
--
-- Answers the layout that is there.
local root = KEYS[1]
local key = root .. 'probe'
redis.call('DEL', key)
redis.call('SET', key, '', 'PXAT', '253402300799000')
redis.call('GET', key)
redis.call('DEL', key)
redis.call('ZADD', key, 0, 'a')
redis.call('ZCARD', key)
redis.call('ZRANGE', key, '-', '+', 'BYLEX', 'LIMIT', 0, 1)
redis.call('ZRANGEBYSCORE', key, '-inf', '+inf', 'LIMIT', 0, 1)
redis.call('ZSCAN', key, '0', 'COUNT', 1)
redis.call('ZREM', key, 'a')
redis.call('DEL', key)
redis.call('SADD', key, 'a')
redis.call('SISMEMBER', key, 'a')
redis.call('DEL', key)
redis.call('XADD', key, '0-*', 'e', '')
redis.call('XRANGE', key, '-', '+', 'COUNT', 1)
redis.call('XTRIM', key, 'MINID', '=', '0-2')
redis.call('DEL', key)
redis.call('TIME')
local layout = redis.call('GET', root .. 'v')
if not layout then
  layout = ARGV[1]
  redis.call('SET', root .. 'v', layout)
end
return layout
