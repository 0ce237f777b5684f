-- Records, each with what it hangs on, as of one moment.
--
-- KEYS[1]  the root of a bucket
-- ARGV     1 the prefix of all roots where this server holds all buckets, or nothing; then the tail of each record
--
-- Answers {record, parent, client, subject} for each, with nothing where there is none. A client in a bucket that
-- another server holds is left out, and asked for there. What is no record is handed on as it is: whoever decodes it
-- will say so.
--
-- This runs for every request, so it stands alone: what all other scripts begin with would cost as much again.
local sub, byte, band, call = string.sub, string.byte, bit.band, redis.call
local FIXED, PARENT, OWNER, SUBJECT = 59, 2, 4, 8
local everywhere, own = ARGV[1], KEYS[1]
local TAGS = '@TAGS@'
-- A client that is asked for is mostly that of the token beside it.
local known = {}

local function get(tail)
  local value = known[tail]
  if value ~= nil then return value end
  value = false
  if #tail == 35 then
    local bucket = byte(tail, 2)
    if everywhere ~= '' then
      value = call('GET', everywhere .. '{' .. sub(TAGS, bucket * 3 + 1, bucket * 3 + 3) .. '}r' .. tail)
    elseif bucket == byte(ARGV[2], 2) then
      value = call('GET', own .. 'r' .. tail)
    end
  end
  known[tail] = value
  return value
end

-- What it is said to have; nothing, where it is no record.
local function flags(record)
  return record and #record >= FIXED and byte(record, 3) or 0
end

local answer = {}
for i = 2, #ARGV do
  local record = get(ARGV[i])
  local parent, client, subject = false, false, false
  local holder, has, at = record, flags(record), FIXED + 1
  if band(has, PARENT) ~= 0 then
    parent = get(sub(record, at, at + 34))
    at = at + 43
  end
  if band(has, OWNER) == 0 then
    holder, has, at = parent, flags(parent), FIXED + 1
    if band(has, PARENT) ~= 0 then at = at + 43 end
  end
  if band(has, OWNER) ~= 0 then
    client = get(sub(holder, at, at + 34))
    if band(has, SUBJECT) ~= 0 then subject = get(sub(holder, at + 43, at + 77)) end
  end
  answer[i - 1] = {record, parent, client, subject}
end
return answer
