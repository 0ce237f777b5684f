-- A stretch of a list that is kept in order.
--
-- KEYS[1]  the root of the bucket
-- ARGV     1 the list, 2 'N' (newest first) or 'A' (as it is kept), 3 the member after which to begin, or nothing,
--          4 how many, 5 a tenant and kind of which every record must stand in the list, or nothing
--
-- Answers members; nothing at all where the list is not the whole of them.
local list, order, position, count = KEYS[1] .. ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if ARGV[5] ~= '' and redis.call('SISMEMBER', KEYS[1] .. 'x', ARGV[5]) == 1 then return false end

if order == 'A' then
  return redis.call('ZRANGE', list, position == '' and '-' or '(' .. position, '+', 'BYLEX', 'LIMIT', 0, count)
end

-- Newest first, but what was made in the same moment by name, rising: each moment is turned round.
local LAST = string.rep('\255', 36)
local found, newest = {}, '+'

local function moment_from(first, created)
  local members = redis.call('ZRANGE', list, first, '[' .. created .. LAST, 'BYLEX', 'LIMIT', 0, count - #found)
  for _, member in ipairs(members) do found[#found + 1] = member end
end

if position ~= '' then
  local created = sub(position, 1, 8)
  moment_from('(' .. position, created)
  newest = '(' .. created
end
while #found < count do
  local wanted = count - #found
  local chunk = redis.call('ZRANGE', list, newest, '-', 'BYLEX', 'REV', 'LIMIT', 0, wanted)
  if #chunk == 0 then break end
  local from = 1
  while from <= #chunk do
    local created, to = sub(chunk[from], 1, 8), from
    while chunk[to + 1] and sub(chunk[to + 1], 1, 8) == created do to = to + 1 end
    if to == #chunk and #chunk == wanted then
      -- The chunk may have ended in the middle of this moment.
      moment_from('[' .. created, created)
    else
      for i = to, from, -1 do found[#found + 1] = chunk[i] end
    end
    newest = '(' .. created
    from = to + 1
  end
end
return found
