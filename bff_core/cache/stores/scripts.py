"""What the store in Redis runs there, atomically.

Three kinds of keys:

- an entry is a hash of `body`, of `keep` (ms) and of its `guard`: the era, and each of its tags
  with what the tag said when the entry was set;
- a tag is a string that says when it was last purged, as far as anybody knew when its first entry
  was set; it is there as long as its entries are;
- the one list of purges is a sorted set: the tags that were purged last, by the number of the
  purge, and the era, which is first. A new list is a new era.

An entry counts only while era and tags say what its guard says. So a purge takes the tags away,
however many entries they have, and whatever Redis evicts costs entries and never revives one.
An answer is set unless one of its tags was purged after its mark: the tag says so, or the list
does, or the mark is from before the list begins.
"""

from typing import Final

PREFIX: Final = "bff:cache:"

PURGES: Final = f"{PREFIX}purges"
"""The list of purges, and the channel where they are told."""

TAGS: Final = f"{PREFIX}tag:"
"""What tags' keys begin with."""

_BEGIN: Final = """
local function past()
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

local function said(tag)
  local told = redis.pcall('GET', ARGV[2] .. tag)
  return type(told) == 'string' and told or ''
end

local function answer(era, count, ...)
  return {era, count, string.format('%.0f', past()), ...}
end

local era, count = state()
"""
# KEYS[1] is the list of purges; ARGV[1] makes the name of a new era, ARGV[2] is what tags' keys
# begin with. Every answer begins with the era, the number of purges, and Redis' time (ms).

LOAD: Final = (
    _BEGIN
    + """
local function guard()
  local kept = redis.pcall('HGET', KEYS[2], 'guard')
  if not kept or kept.err then return end
  local ok, told = pcall(cmsgpack.unpack, kept)
  if not ok or type(told) ~= 'table' then return end
  return told
end

local told = guard()
if not told then return answer(era, count) end
local holds = told[1] == era
for i = 2, #told, 2 do
  holds = holds and said(told[i]) == told[i + 1]
end
if not holds then
  redis.call('DEL', KEYS[2])
  return answer(era, count)
end
local kept = redis.call('HMGET', KEYS[2], 'body', 'keep')
return answer(era, count, kept[1], kept[2], redis.call('PTTL', KEYS[2]))
"""
)
# KEYS[2] is the entry. Answers its body, for how long it was kept and what is left of that (ms).

KEEP: Final = (
    _BEGIN
    + """
local mark, keep, late = tonumber(ARGV[4]), tonumber(ARGV[5]), past() - tonumber(ARGV[6])
if era ~= ARGV[3] or count < mark or late > 1000 or late < -1000 then
  return answer(era, count, 0)
end

local floor = 0
if redis.call('ZCARD', KEYS[1]) > tonumber(ARGV[7]) then
  floor = tonumber(redis.call('ZRANGE', KEYS[1], 1, 1, 'WITHSCORES')[2])
end
local function purged(tag)
  local its, last = string.match(said(tag), '^(%S+) (%d+)$')
  if its == era then return tonumber(last) end
  return tonumber(redis.call('ZSCORE', KEYS[1], 't' .. tag) or floor)
end

local guard = {era}
for i = 9, #ARGV do
  local last = purged(ARGV[i])
  if last > mark then return answer(era, count, 0) end
  guard[#guard + 1] = ARGV[i]
  guard[#guard + 1] = string.format('%s %.0f', era, last)
end
for i = 2, #guard, 2 do
  local key = ARGV[2] .. guard[i]
  local left = math.max(keep, redis.call('PTTL', key))
  redis.call('SET', key, guard[i + 1], 'PX', string.format('%.0f', left))
end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'body', ARGV[8], 'keep', ARGV[5], 'guard', cmsgpack.pack(guard))
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return answer(era, count, 1)
"""
)
# ARGV from 3: the mark (era and number); for how long to keep it (ms); when it was sent, by Redis'
# clock (ms); how many purges are listed; the body; the tags. A command that a frozen Redis reads
# much later would make an answer younger than it is. Answers whether it is kept.

FORGET: Final = (
    _BEGIN
    + """
local tags = tonumber(ARGV[6])
if tags > 0 then count = count + 1 end
for i = 7, 6 + tags do
  redis.call('DEL', ARGV[2] .. ARGV[i])
  redis.call('ZADD', KEYS[1], count, 't' .. ARGV[i])
end
local surplus = redis.call('ZCARD', KEYS[1]) - 1 - tonumber(ARGV[5])
if surplus > 0 then redis.call('ZREMRANGEBYRANK', KEYS[1], 1, surplus) end
for i = 7 + tags, #ARGV do redis.call('DEL', ARGV[i]) end
redis.call('PUBLISH', ARGV[3], string.format('%s %.0f ', era, count) .. ARGV[4])
return answer(era, count)
"""
)
# ARGV from 3: the channel and what is said there; how many purges are listed; how many tags; the
# tags; the keys of entries.

RENEW: Final = "redis.call('DEL', KEYS[1])\n" + FORGET
"""Begins a new era: nothing that is kept counts any more."""

RELEASE: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""
