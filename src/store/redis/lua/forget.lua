-- Forgets events of a stream.
--
-- KEYS[1]  the root of its bucket
-- ARGV     1 the stream, 2 the number of the last event to go, 3 how many at most (0: only tells whether there are any)
--
-- Answers {how many it forgot, 1 if there are more or 0}.
local stream, quota = ARGV[1], tonumber(ARGV[3])
local some = redis.call('XRANGE', stream, '-', '0-' .. ARGV[2], 'COUNT', quota + 1)
if #some == 0 then return {0, 0} end
if #some <= quota then
  redis.call('XTRIM', stream, 'MINID', '=', '0-' .. (tonumber(string.match(some[#some][1], '%-(%d+)$')) + 1))
  return {#some, 0}
end
if quota > 0 then redis.call('XTRIM', stream, 'MINID', '=', some[#some][1]) end
return {quota, 1}
