-- What every script knows of a record. The layout of a value is told in row.rs, that of a tail (the name of a record
-- within its bucket: partition, kind, id) in bucket.rs.
--
-- Moments are 8 bytes whose order is that of time. Lua compares strings by the locale of the server, so they are
-- compared as numbers.
local sub, byte, char, band = string.sub, string.byte, string.char, bit.band
local FIXED = 59
local NEVER = string.rep('\255', 8)
local USED, PARENT, OWNER, SUBJECT, LABELS = 1, 2, 4, 8, 16

local function corrupt(tail)
  error(redis.error_reply('CORRUPT what is kept under a key is no record, kind ' .. byte(tail, 3)))
end

-- The value of a record, or false.
local function read(root, tail)
  local value = redis.call('GET', root .. 'r' .. tail)
  if value and (#value < FIXED or byte(value, 1) ~= 1) then corrupt(tail) end
  return value
end

local function has(value, flag)
  return band(byte(value, 3), flag) ~= 0
end

local function number(moment)
  local high, low = struct.unpack('>I4I4', moment)
  return high - 2147483648, low
end

local function earlier(one, other)
  local high, low = number(one)
  local other_high, other_low = number(other)
  return high < other_high or (high == other_high and low < other_low)
end

-- Where a record stands among those to be forgotten. Far from our time a score is rounded: whoever goes by it reads the
-- record as well.
local function score(moment)
  if moment == NEVER then return '+inf' end
  local high, low = number(moment)
  return string.format('%.17g', high * 4294967296 + low)
end

-- The lists that a record stands in: key, member, key, member, ...
local function entries(tail, value)
  local found, at = {}, FIXED + 1
  local kind, created = sub(tail, 3, 3), sub(value, 28, 35)
  if has(value, PARENT) then at = at + 43 end
  if has(value, OWNER) then
    found[1], found[2] = 'o' .. kind .. sub(value, at, at + 34), created .. tail
    at = at + 43
  end
  if has(value, SUBJECT) then
    found[#found + 1] = 's' .. kind .. sub(value, at, at + 34)
    found[#found + 1] = created .. tail
    at = at + 43
  end
  if has(value, LABELS) then
    local stretch = sub(value, 44, 59) .. kind
    local length = struct.unpack('>I4', value, at)
    -- No name begins with another and the end mark, so members sort as names do, and then by tail.
    local name = string.gsub(sub(value, at + 4, at + 3 + length), '%z', '\0\255')
    found[#found + 1] = 'l' .. stretch
    found[#found + 1] = created .. tail
    found[#found + 1] = 'n' .. stretch
    found[#found + 1] = name .. '\0\0' .. tail
  end
  return found
end

-- Forgets a record that may be forgotten before this moment. Answers 1 if it did, 0 if there was none, and -1 if it may
-- not. Nothing in here stops the script: it runs when a commit is done already.
local function forget(root, tail, moment)
  local value = redis.pcall('GET', root .. 'r' .. tail)
  if not value then
    redis.pcall('ZREM', root .. 'd', tail)
    return 0
  end
  if type(value) ~= 'string' or #value < FIXED or not earlier(sub(value, 20, 27), moment) then return -1 end
  local lists = entries(tail, value)
  for i = 1, #lists, 2 do redis.pcall('ZREM', root .. lists[i], lists[i + 1]) end
  redis.pcall('DEL', root .. 'r' .. tail)
  redis.pcall('ZREM', root .. 'd', tail)
  return 1
end

-- Up to `count` names of records that may be forgotten before this moment, or about then.
local function due(root, moment, offset, count)
  local last = score(moment)
  if last == '+inf' then last = '(+inf' end
  return redis.call('ZRANGEBYSCORE', root .. 'd', '-inf', last, 'LIMIT', offset, count)
end
