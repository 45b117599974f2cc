/**
 * Queues as lists, of messages as `<moment of expiry>:<payload>` in milliseconds by the server's clock. Each script touches
 * one key. They are sent as text, some 500 bytes, as a script that is called by its digest may be gone from the server.
 */

const now = `
  local time = redis.call("TIME")
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local function expiry(item) return tonumber(string.match(item, "^%d+")) end
`;

/**
 * KEYS: the queue. ARGV: payload, capacity, milliseconds until it expires. 1, or 0 if the queue is full. The key lives as
 * long as the message that does so longest, so that a queue which nobody reads goes by itself.
 */
export const pushScript: string = `${now}
  local queue, lifetime = KEYS[1], tonumber(ARGV[3])
  local head = redis.call("LINDEX", queue, 0)
  while head and expiry(head) <= now do
    redis.call("LPOP", queue)
    head = redis.call("LINDEX", queue, 0)
  end
  if redis.call("LLEN", queue) >= tonumber(ARGV[2]) then return 0 end
  redis.call("RPUSH", queue, string.format("%.0f:", now + lifetime) .. ARGV[1])
  if redis.call("PTTL", queue) < lifetime then redis.call("PEXPIRE", queue, lifetime) end
  return 1
`;

/** KEYS: the queue. The oldest payload that has not expired, or nil. */
export const popScript: string = `${now}
  local item = redis.call("LPOP", KEYS[1])
  while item and expiry(item) <= now do item = redis.call("LPOP", KEYS[1]) end
  if not item then return false end
  return string.sub(item, string.find(item, ":", 1, true) + 1)
`;
