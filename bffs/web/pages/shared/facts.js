// What a client received: read from the headers of a response, and from the extensions of GraphQL.

const WHOLE = new Set(["ok", "stale"]);

/**
 * Reads `Part-Status: price=ok, reviews=fallback;reason=timeout;age=3` (a dictionary of RFC 9651).
 * Returns [{name, state, reason, age}], age in seconds.
 */
export function readPartStatus(header) {
  return members(header).map(([first, ...rest]) => {
    const [name, state = "ok"] = pair(first);
    const { reason = "", age = 0 } = Object.fromEntries(rest.map(pair));
    return { name, state, reason, age: Number(age) };
  });
}

/** Reads `Server-Timing: price;dur=3.3, calls;desc="7"`. Returns {price: {dur: "3.3"}, calls: {desc: "7"}}. */
export function readServerTiming(header) {
  return Object.fromEntries(members(header).map(([name, ...rest]) => [name.toLowerCase(), Object.fromEntries(rest.map(pair))]));
}

function members(header) {
  const found = split(header ?? "", ",").map((member) => split(member, ";").map((one) => one.trim()));
  return found.filter(([first]) => first);
}

// Splits at a separator that is not within quotes.
function split(text, separator) {
  return text.match(separator === "," ? /(?:"[^"]*"|[^",])+/g : /(?:"[^"]*"|[^";])+/g) ?? [];
}

function pair(text) {
  const at = text.indexOf("=");
  return at < 0 ? [text] : [text.slice(0, at).trim(), text.slice(at + 1).trim().replace(/^"|"$/g, "")];
}

/**
 * Returns the facts of one exchange. `parts` of the body, if any, are those of GraphQL: {price: {status}}.
 *
 * `ms` is what the gateway measured, or else what the client did; `calls` and `fetched` (bytes that services
 * sent) are null where the gateway does not say. `state` is complete, degraded or failed.
 */
export function factsOf({ client, route, status, headers, bytes, ms, parts = null, failedParts = [] }) {
  const timing = readServerTiming(headers.get("server-timing"));
  const stated = headers.get("part-status") ? readPartStatus(headers.get("part-status")) : reported(parts);
  const failed = new Map(failedParts.map((one) => [one.name.toLowerCase(), one]));
  const all = stated.map((part) => ({ ...part, ...failed.get(part.name.toLowerCase()), name: part.name }));
  const names = new Set(all.map(({ name }) => name.toLowerCase()));
  for (const [name, part] of failed) if (!names.has(name)) all.push({ age: 0, ...part });
  const timed = all.map((part) => ({ ...part, ms: numberOf(timing[part.name.toLowerCase()]?.dur) }));
  return {
    client,
    route,
    status,
    ms: numberOf(timing.total?.dur) ?? ms,
    bytes,
    calls: numberOf(timing.calls?.desc),
    fetched: numberOf(timing.fetched?.desc),
    parts: timed,
    state: stateOf(status, timed),
    requestId: headers.get("x-request-id") ?? "",
    at: Date.now(),
  };
}

/** Returns the facts of a request that got no response: `state` is offline, or failed if it took too long. */
export function noFacts({ client, route, ms, state }) {
  const nothing = { status: 0, bytes: 0, calls: null, fetched: null, parts: [], requestId: "" };
  return { client, route, ...nothing, ms, state, at: Date.now() };
}

function reported(parts) {
  const found = Object.entries(parts ?? {}).filter(([, part]) => typeof part?.status === "string");
  return found.map(([name, { status, reason = "", age = 0 }]) => ({ name, state: status, reason, age }));
}

function numberOf(text) {
  const number = text === undefined || text === "" ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : null;
}

function stateOf(status, parts) {
  if (status < 200 || status > 299 || parts.some(({ state }) => state === "failed")) return "failed";
  return parts.every(({ state }) => WHOLE.has(state)) ? "complete" : "degraded";
}
