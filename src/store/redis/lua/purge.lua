-- Forgets records of a bucket that may be forgotten before a moment.
--
-- KEYS[1]  the root of the bucket
-- ARGV     1 the moment, 2 how many at most (0: only tells whether there may be any)
--
-- Answers {how many it forgot, 1 if there may be more or 0}.
local root, moment, quota = KEYS[1], ARGV[1], tonumber(ARGV[2])
local removed, looked_at, kept = 0, 0, 0
while removed < quota and looked_at < quota + 64 do
  local some = due(root, moment, kept, quota - removed)
  if #some == 0 then return {removed, 0} end
  for _, tail in ipairs(some) do
    local gone = forget(root, tail, moment)
    if gone == 1 then removed = removed + 1 end
    if gone == -1 then kept = kept + 1 end
    looked_at = looked_at + 1
  end
end
return {removed, #due(root, moment, kept, 1)}
