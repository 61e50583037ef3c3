"""The Lua scripts of the cache in Redis, and the layout of its keys.

Four kinds of keys:

- an entry is a hash of `body`, `keep` (its lifetime, ms) and `guard`: the era, and each of its tags
  with the state of the tag when the entry was stored;
- `tags` is a hash with the state of each tag: the number of its last purge that Redis had logged
  when the tag's first entry was stored;
- `tag-expiries` is a sorted set of the same tags, by the time (ms) when their last entry expires;
- `purges` is the purge log: a sorted set of the last purged tags by the number of the purge, with
  the era as its first member. A new log begins a new era. Purges are published on a channel of the
  same name.

An entry is valid only while the era and its tags have the state in its guard. So a purge only
removes the tags, however many entries they have. If Redis evicts any of these keys, entries are
lost, but no purged entry becomes valid again. An entry is stored unless one of its tags was purged
after its mark, by the tag's state or by the log, or the mark is older than the log.

Scripts declare every key that they read or write. The hash tag in the prefix puts all of them in
one slot of a Redis Cluster. The prefix contains the version of this layout.
"""

from typing import Final

PREFIX: Final = "bff:{cache:2}:"

PURGES: Final = f"{PREFIX}purges"
"""The purge log, and the channel of purges."""

TAGS: Final = f"{PREFIX}tags"

TAG_EXPIRIES: Final = f"{PREFIX}tag-expiries"

_BEGIN: Final = """
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function state()
  local first = redis.pcall('ZRANGE', KEYS[1], 0, 0)
  local era = not first.err and first[1]
  if not era or string.sub(era, 1, 1) ~= 'e' then
    era = 'e' .. ARGV[1] .. '-' .. table.concat(redis.call('TIME'), '.')
    redis.call('DEL', KEYS[1])
    redis.call('ZADD', KEYS[1], -1, era)
  end
  local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return era, math.max(0, tonumber(last[2]))
end

local function state_of(tag)
  local found = redis.pcall('HGET', KEYS[2], tag)
  return type(found) == 'string' and found or ''
end

local function answer(era, count, ...)
  return {era, count, string.format('%.0f', now_ms()), ...}
end

local era, count = state()
"""
# KEYS: the purge log, the tags, their expiries, then those of the script. ARGV[1] becomes part of
# the name of a new era. Every answer begins with the era, the purge count, and Redis' time (ms).

LOAD: Final = (
    _BEGIN
    + """
local function stored_guard()
  local packed = redis.pcall('HGET', KEYS[4], 'guard')
  if not packed or packed.err then return end
  local ok, guard = pcall(cmsgpack.unpack, packed)
  if not ok or type(guard) ~= 'table' then return end
  return guard
end

local guard = stored_guard()
if not guard then return answer(era, count) end
local is_valid = guard[1] == era
for i = 2, #guard, 2 do
  is_valid = is_valid and state_of(guard[i]) == guard[i + 1]
end
if not is_valid then
  redis.call('DEL', KEYS[4])
  return answer(era, count)
end
local entry = redis.call('HMGET', KEYS[4], 'body', 'keep')
return answer(era, count, entry[1], entry[2], redis.call('PTTL', KEYS[4]))
"""
)
# KEYS[4] is the entry. Returns its body, its lifetime and its remaining lifetime (ms).

STORE: Final = (
    _BEGIN
    + """
local mark, lifetime, now = tonumber(ARGV[3]), tonumber(ARGV[4]), now_ms()
local late = now - tonumber(ARGV[5])
if era ~= ARGV[2] or count < mark or late > 1000 or late < -1000 then
  return answer(era, count, 0)
end

local floor = 0
if redis.call('ZCARD', KEYS[1]) > tonumber(ARGV[6]) then
  floor = tonumber(redis.call('ZRANGE', KEYS[1], 1, 1, 'WITHSCORES')[2])
end
local function purged(tag)
  local its, last = string.match(state_of(tag), '^(%S+) (%d+)$')
  if its == era then return tonumber(last) end
  return tonumber(redis.call('ZSCORE', KEYS[1], 't' .. tag) or floor)
end

local guard = {era}
for i = 8, #ARGV do
  local last = purged(ARGV[i])
  if last > mark then return answer(era, count, 0) end
  guard[#guard + 1] = ARGV[i]
  guard[#guard + 1] = string.format('%s %.0f', era, last)
end

-- Each tag is in both: where Redis evicted one of them, the other goes, too.
local known = redis.pcall('HLEN', KEYS[2])
if type(known) ~= 'number' or known ~= redis.pcall('ZCARD', KEYS[3]) then
  redis.call('DEL', KEYS[2], KEYS[3])
end
-- More expired tags go than come, so that they do not pile up.
local expired = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, #guard + 3)
for _, tag in ipairs(expired) do
  redis.call('HDEL', KEYS[2], tag)
  redis.call('ZREM', KEYS[3], tag)
end
for i = 2, #guard, 2 do
  local expiry = tonumber(redis.call('ZSCORE', KEYS[3], guard[i]) or 0)
  redis.call('HSET', KEYS[2], guard[i], guard[i + 1])
  redis.call('ZADD', KEYS[3], string.format('%.0f', math.max(expiry, now + lifetime)), guard[i])
end
for i = 2, 3 do
  local left = math.max(lifetime, redis.call('PTTL', KEYS[i]))
  redis.call('PEXPIRE', KEYS[i], string.format('%.0f', left))
end
redis.call('DEL', KEYS[4])
redis.call('HSET', KEYS[4], 'body', ARGV[7], 'keep', ARGV[4], 'guard', cmsgpack.pack(guard))
redis.call('PEXPIRE', KEYS[4], ARGV[4])
return answer(era, count, 1)
"""
)
# KEYS[4] is the entry. ARGV from 2: the mark (era and number); the lifetime (ms); when the command
# was sent, by Redis' clock (ms); the size of the purge log; the body; the tags. Returns whether the
# entry is stored. A command that a frozen Redis reads much later is refused: the entry would be
# older than it claims.

PURGE: Final = (
    _BEGIN
    + """
local tags = tonumber(ARGV[5])
if tags > 0 then count = count + 1 end
for i = 6, 5 + tags do
  redis.pcall('HDEL', KEYS[2], ARGV[i])
  redis.pcall('ZREM', KEYS[3], ARGV[i])
  redis.call('ZADD', KEYS[1], count, 't' .. ARGV[i])
end
local surplus = redis.call('ZCARD', KEYS[1]) - 1 - tonumber(ARGV[4])
if surplus > 0 then redis.call('ZREMRANGEBYRANK', KEYS[1], 1, surplus) end
for i = 4, #KEYS do redis.call('DEL', KEYS[i]) end
redis.call('PUBLISH', ARGV[2], string.format('%s %.0f ', era, count) .. ARGV[3])
return answer(era, count)
"""
)
# KEYS from 4: entries. ARGV from 2: the channel; the message; the size of the purge log; the number
# of tags; the tags.

RESET: Final = "redis.call('DEL', KEYS[1])\n" + PURGE
"""Begins a new era: no stored entry is valid any more."""

RELEASE: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""
