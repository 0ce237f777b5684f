-- One commit: conditions, then writes and events, or nothing.
--
-- KEYS[1]  the root of the bucket
-- ARGV     1 how many conditions, 2 how many writes, 3 before which moment records are forgotten on the way,
--          4 how long after `purge_after` Redis may expire a record (milliseconds, or nothing), 5 the stream of events,
--          then each condition (what, tail, value), each write (what and tail; body), each event (JSON)
--
-- Answers {0}, {1, position of the condition that failed} or {2, position of the write}.
local root = KEYS[1]
local conditions, writes, moment, margin, stream = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]

-- What was there, what will be, in the order in which it was asked for; by tail.
local before, after, touched, moved = {}, {}, {}, {}

local function current(tail)
  local value = after[tail]
  if value == nil then
    value = read(root, tail)
    before[tail], after[tail] = value, value
    touched[#touched + 1] = tail
  end
  return value
end

-- The revision after this one, as 8 bytes: a number of Lua would round it.
local function next_revision(revision)
  local high, low = struct.unpack('>I4I4', revision)
  if low == 4294967295 then
    if high == 4294967295 then error(redis.error_reply('CORRUPT a revision has come to its end')) end
    return struct.pack('>I4I4', high + 1, 0)
  end
  return struct.pack('>I4I4', high, low + 1)
end

for i = 1, conditions do
  local condition = ARGV[5 + i]
  local what, wanted = sub(condition, 1, 1), sub(condition, 37)
  local value = current(sub(condition, 2, 36))
  local holds = false
  if value then
    if what == 'U' then
      holds = not has(value, USED)
    elseif what == 'L' then
      holds = byte(value, 2) == 1 and sub(value, 12, 19) == wanted
    elseif what == 'R' then
      holds = sub(value, 4, 11) == wanted
    end
  end
  if not holds then return {1, i - 1} end
end

for i = 1, writes do
  local at = 4 + conditions + 2 * i
  local what, tail, body = sub(ARGV[at], 1, 1), sub(ARGV[at], 2), ARGV[at + 1]
  local old = current(tail)
  local new
  if what == 'I' then
    if not old then new = body end
    moved[tail] = true
  elseif old then
    if what == 'P' then
      new = sub(body, 1, 3) .. next_revision(sub(old, 4, 11)) .. sub(body, 12)
      moved[tail] = true
    elseif what == 'S' then
      new = sub(old, 1, 1) .. body .. sub(old, 3, 3) .. next_revision(sub(old, 4, 11)) .. sub(old, 12)
    elseif what == 'D' then
      new = false
      moved[tail] = true
    elseif what == 'U' and not has(old, USED) then
      new = sub(old, 1, 2) .. char(byte(old, 3) + USED) .. next_revision(sub(old, 4, 11)) .. sub(old, 12, 19)
        .. sub(body, 1, 8) .. sub(old, 28) .. sub(body, 9)
    end
  end
  if new == nil then return {2, i - 1} end
  after[tail] = new
end

-- All holds. What follows reads whatever it will need, so that nothing can fail once the first write is done.
local leave, enter, unlabelled = {}, {}, {}

local function contains(lists, key, member)
  for i = 1, #lists, 2 do
    if lists[i] == key and lists[i + 1] == member then return true end
  end
  return false
end

local function missing_in(lists, others, into)
  for i = 1, #lists, 2 do
    if not contains(others, lists[i], lists[i + 1]) then
      redis.call('ZCARD', root .. lists[i])
      into[#into + 1] = lists[i]
      into[#into + 1] = lists[i + 1]
    end
  end
end

for _, tail in ipairs(touched) do
  if moved[tail] then
    local old, new = before[tail], after[tail]
    local was, is = old and entries(tail, old) or {}, new and entries(tail, new) or {}
    missing_in(was, is, leave)
    missing_in(is, was, enter)
    if new and not has(new, LABELS) then
      local stretch = sub(new, 44, 59) .. sub(tail, 3, 3)
      if redis.call('SISMEMBER', root .. 'x', stretch) == 0 then unlabelled[#unlabelled + 1] = stretch end
    end
  end
end

local overdue = due(root, moment, 0, 8)

local now
if margin ~= '' then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

-- When Redis itself may drop the record, or nothing. Not what stands in a list: its entries there would stay for ever.
local function expiry(value)
  if not now or has(value, OWNER) or has(value, LABELS) or sub(value, 20, 27) == NEVER then return nil end
  local high, low = number(sub(value, 20, 27))
  local at = high * 4294967296 + low + tonumber(margin)
  -- Not by a clock that may be another's: what is due already is forgotten by a commit, or a purge.
  if at <= now or at > 9007199254740991 then return nil end
  return string.format('%.0f', at)
end

-- First what could still be refused: an event is the only write that Redis looks at closely.
for i = 6 + conditions + 2 * writes, #ARGV do
  redis.call('XADD', stream, '0-*', 'e', ARGV[i])
end

for _, tail in ipairs(touched) do
  local old, new = before[tail], after[tail]
  if new and new ~= old then
    local at = expiry(new)
    if at then
      redis.call('SET', root .. 'r' .. tail, new, 'PXAT', at)
    else
      redis.call('SET', root .. 'r' .. tail, new)
    end
    if not old or sub(old, 20, 27) ~= sub(new, 20, 27) then
      redis.call('ZADD', root .. 'd', score(sub(new, 20, 27)), tail)
    end
  elseif old and not new then
    redis.call('DEL', root .. 'r' .. tail)
    redis.call('ZREM', root .. 'd', tail)
  end
end
for i = 1, #leave, 2 do redis.call('ZREM', root .. leave[i], leave[i + 1]) end
for i = 1, #enter, 2 do redis.call('ZADD', root .. enter[i], 0, enter[i + 1]) end
for _, stretch in ipairs(unlabelled) do redis.call('SADD', root .. 'x', stretch) end
for _, tail in ipairs(overdue) do
  if after[tail] == nil then forget(root, tail, moment) end
end
return {0}
