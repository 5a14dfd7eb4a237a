-- Applies what happened to connections and returns the users whose status nobody was told yet.
-- The only clock is this server's. ARGV: seconds that a connection lives without a refresh,
-- that a user stays online after the last one closed, and that input counts; then triples of
-- verb, user, connection: open, keep, close, input. Without triples: everyone whose status may
-- have changed by time alone.
local P = 'myukm:presence:'
local lives, grace, attention = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local patience = 120
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6

local function status_of(user)
  local connections = P .. 'connections:' .. user
  redis.call('ZREMRANGEBYSCORE', connections, '-inf', now)
  local last = redis.call('ZREVRANGE', connections, 0, 0, 'WITHSCORES')[2]
  if not last then
    redis.call('HDEL', P .. 'status', user)
    redis.call('ZREM', P .. 'due', user)
    return 'offline'
  end
  local status, due = 'away', tonumber(last)
  local left = redis.call('PTTL', P .. 'input:' .. user)
  if left > 0 then
    status, due = 'online', math.min(due, now + left / 1000)
  end
  redis.call('PEXPIRE', connections, math.ceil((lives + grace) * 1000))
  redis.call('HSET', P .. 'status', user, status)
  redis.call('ZADD', P .. 'due', due, user)
  return status
end

local function heed(user)
  redis.call('SET', P .. 'input:' .. user, 1, 'PX', math.ceil(attention * 1000))
end

local function apply(verb, user, connection)
  local connections = P .. 'connections:' .. user
  if verb == 'close' then
    redis.call('ZREM', connections, connection)
    redis.call('ZADD', connections, now + grace, 'left')
  elseif verb == 'open' then
    redis.call('ZADD', connections, now + lives, connection)
  end
  if verb ~= 'close' then heed(user) end
end

-- All of a user's connections at once: with many tabs open this is most of what Valkey does.
local function keep(user, entries)
  local connections = P .. 'connections:' .. user
  if redis.call('EXISTS', connections) == 0 then heed(user) end
  redis.call('ZADD', connections, unpack(entries))
end

local users, kept = {}, {}
for n = 4, #ARGV, 3 do
  local verb, user, connection = ARGV[n], ARGV[n + 1], ARGV[n + 2]
  users[user] = true
  if verb == 'keep' then
    kept[user] = kept[user] or {}
    table.insert(kept[user], now + lives)
    table.insert(kept[user], connection)
  else
    apply(verb, user, connection)
  end
end
for user, entries in pairs(kept) do keep(user, entries) end
if #ARGV == 3 then
  for _, user in ipairs(redis.call('ZRANGEBYSCORE', P .. 'due', '-inf', now, 'LIMIT', 0, 500)) do
    users[user] = true
  end
end

local changed = {}
for user in pairs(users) do
  local told = redis.call('HGET', P .. 'told', user) or 'offline'
  if status_of(user) ~= told then
    -- Looked at again in case the job that tells it is lost.
    redis.call('ZADD', P .. 'due', 'LT', now + patience, user)
    if redis.call('SET', P .. 'queued:' .. user, 1, 'NX', 'EX', patience) then
      changed[#changed + 1] = user
    end
  end
end
return changed
