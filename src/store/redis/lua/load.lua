-- Records, each with what it hangs on, as of one moment.
--
-- KEYS[1]  the root of a bucket
-- ARGV     1 the prefix of all roots where this server holds all buckets, or nothing; then the tail of each record
--
-- Answers {record, parent, client, subject} for each, with nothing where there is none. A client in a bucket that
-- another server holds is left out, and asked for there. What is no record is handed on as it is: whoever decodes it
-- will say so.
local everywhere = ARGV[1]
local TAGS = '@TAGS@'

local function get(tail)
  if #tail ~= 35 then return false end
  local bucket = byte(tail, 2)
  local root = KEYS[1]
  if everywhere ~= '' then
    root = everywhere .. '{' .. sub(TAGS, bucket * 3 + 1, bucket * 3 + 3) .. '}'
  elseif bucket ~= byte(ARGV[2], 2) then
    return false
  end
  return redis.call('GET', root .. 'r' .. tail)
end

local answer = {}
for i = 2, #ARGV do
  local record = get(ARGV[i])
  local parent, client, subject = false, false, false
  if record and #record >= FIXED then
    local at = FIXED + 1
    if has(record, PARENT) then
      parent = get(sub(record, at, at + 34))
      at = at + 43
    end
    local holder = record
    if not has(record, OWNER) then
      holder, at = parent, FIXED + 1
      if holder and #holder >= FIXED and has(holder, PARENT) then at = at + 43 end
    end
    if holder and #holder >= FIXED and has(holder, OWNER) then
      client = get(sub(holder, at, at + 34))
      if has(holder, SUBJECT) then subject = get(sub(holder, at + 43, at + 77)) end
    end
  end
  answer[#answer + 1] = {record, parent, client, subject}
end
return answer
