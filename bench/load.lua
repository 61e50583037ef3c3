-- Load for wrk: requests a different id each time, so that nothing can be shared or cached, and
-- ends with one line of JSON. Arguments: the path before the id, the first id, and what the next
-- is greater by: 0 requests the same again; and how many milliseconds a connection pauses between
-- requests, none unless it is given.
local before, after, id, step

function init(arguments)
  before = "GET " .. arguments[1]
  after = " HTTP/1.1\r\nHost: " .. wrk.headers["Host"] .. "\r\n\r\n"
  id = tonumber(arguments[2])
  step = tonumber(arguments[3])
  local pause = tonumber(arguments[4] or "0")
  if pause > 0 then
    function delay() return pause end
  end
end

function request()
  id = id + step
  return before .. id .. after
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,'
      .. '"refused":%d,"broken":%d,"timed_out":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write, errors.timeout))
end
