-- Some of the records of a list, in no order.
--
-- KEYS[1]  the root of the bucket
-- ARGV     1 the list, 2 where the last call ended ('0' at first), 3 about how many, 4 the kind,
--          5 the partition, or nothing
--
-- Answers where it ended ('0': it has seen all that was there all the time), then tail, value, tail, value, ...
local found = redis.call('ZSCAN', KEYS[1] .. ARGV[1], ARGV[2], 'COUNT', ARGV[3])
local answer = {found[1]}
for i = 1, #found[2], 2 do
  local tail = sub(found[2][i], -35)
  if sub(tail, 3, 3) == ARGV[4] and (ARGV[5] == '' or sub(tail, 1, 2) == ARGV[5]) then
    local value = redis.call('GET', KEYS[1] .. 'r' .. tail)
    if value then
      answer[#answer + 1] = tail
      answer[#answer + 1] = value
    end
  end
end
return answer
