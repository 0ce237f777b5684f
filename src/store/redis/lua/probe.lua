-- Tries every command that the scripts use, on a key of its own, and tells which layout the bucket has.
-- A right that is missing is found here, and not by half a commit.
--
-- KEYS[1]  the root of a bucket
-- ARGV     1 the layout that we write
--
-- Answers the layout that is there.
local root = KEYS[1]
local key = root .. 'probe'

local function try(command, ...)
  local answer = redis.pcall(command, ...)
  if type(answer) == 'table' and answer.err then
    error(redis.error_reply('DENIED the right to ' .. command .. ' ' .. root .. '...: ' .. answer.err))
  end
  return answer
end

try('DEL', key)
try('SET', key, '', 'PXAT', '253402300799000')
try('GET', key)
try('DEL', key)
try('ZADD', key, 0, 'a')
try('ZCARD', key)
try('ZRANGE', key, '-', '+', 'BYLEX', 'LIMIT', 0, 1)
try('ZRANGEBYSCORE', key, '-inf', '+inf', 'LIMIT', 0, 1)
try('ZSCAN', key, '0', 'COUNT', 1)
try('ZREM', key, 'a')
try('DEL', key)
try('SADD', key, 'a')
try('SISMEMBER', key, 'a')
try('DEL', key)
try('XADD', key, '0-*', 'e', '')
try('XRANGE', key, '-', '+', 'COUNT', 1)
try('XTRIM', key, 'MINID', '=', '0-2')
try('DEL', key)
try('TIME')
local layout = try('GET', root .. 'v')
if not layout then
  layout = ARGV[1]
  try('SET', root .. 'v', layout)
end
return layout
