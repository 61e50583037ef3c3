// A progressive answer (NDJSON): one line for each part as it ends, then the whole answer.
import { checked, decoded, isObject, problemOf, silence, unreadable, until } from "../shared/answer.js";
import { factsOf, noFacts } from "../shared/facts.js";

export const TYPE = "application/x-ndjson";
const TIMEOUT_MS = 10_000;

/** Yields the JSON value of each line of a fetch body, as soon as the line is complete. */
export async function* readLines(body, onBytes = () => {}) {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (value) onBytes(value.byteLength);
      const lines = (rest + decoder.decode(value, { stream: !done })).split("\n");
      rest = lines.pop();
      for (const line of lines) if (line) yield JSON.parse(line);
      if (done) break;
    }
    if (rest) yield JSON.parse(rest);
  } finally {
    reader.cancel().catch(() => {});
  }
}

/**
 * Collects lines to one screen. `onPart(body, parts)` runs after each line that has a value: `body` holds
 * what is known of the answer so far, `parts` is {name: {status, reason, age}}.
 *
 * Returns {answer, parts} or {problem, parts}; only {parts} if the connection was cut before the last line.
 */
export async function collect(lines, onPart = () => {}) {
  const body = {};
  const parts = {};
  for await (const line of lines) {
    if (!isObject(line)) throw new SyntaxError("a line is no JSON object");
    if (line.answer !== undefined || line.problem !== undefined) return { parts, ...line };
    const { part, value, ...state } = line;
    parts[part] = state;
    if (isObject(value)) onPart(Object.assign(body, value), parts);
  }
  return { parts };
}

/**
 * Reads a screen part by part. Returns {ok, status, body, facts, problem}, as the client does for a whole
 * answer: `needs` are the members that it has at least. `headers()` returns those of the viewer; `onPart(body, parts)`
 * gets the parts as they come, in the shape of `facts.parts`. `timeout` (ms) is for all of it.
 */
export async function readProgressively({ client, origin, path, headers, fresh, onPart, needs = [], timeout = TIMEOUT_MS, fetch = globalThis.fetch }) {
  const route = path.split("?")[0];
  const began = performance.now();
  const ended = () => performance.now() - began;
  const aborted = new AbortController();
  const timer = setTimeout(() => aborted.abort(new DOMException("too late", "TimeoutError")), timeout);
  const { signal } = aborted;
  const draw = (body, parts) => signal.aborted || onPart(body, partList(parts));
  try {
    const loaded = async () => {
      const request = { headers: { ...(await headers()), Accept: TYPE }, signal };
      if (fresh) request.cache = "reload";
      const response = await fetch(`${origin}${path}`, request);
      return read(response, { client, route, ended }, draw);
    };
    return checked(await until(signal, loaded()), needs);
  } catch (error) {
    const isKnown = error.name === "TimeoutError" || error instanceof TypeError || typeof error.code === "string";
    if (!isKnown) throw error;
    return unreachable({ client, route, ms: ended() }, error);
  } finally {
    clearTimeout(timer);
  }
}

// Lines, or a document if the gateway has nothing to send before the end.
async function read(response, { client, route, ended }, draw) {
  const { status, headers } = response;
  const type = headers.get("content-type");
  let bytes = 0;
  const facts = (found, parts = {}, failedParts = []) => factsOf({ client, route, status: found, headers, bytes, ms: ended(), parts, failedParts });
  if (!type?.startsWith(TYPE)) {
    const raw = await response.arrayBuffer();
    bytes = raw.byteLength;
    const body = decoded(raw, type);
    if (!response.ok) return failed(problemOf(body, status, headers), facts);
    return isObject(body) ? { ok: true, status, body, facts: facts(status), problem: null } : unreadable(facts(status));
  }
  let last;
  try {
    last = await collect(readLines(response.body, (count) => (bytes += count)), draw);
  } catch (error) {
    if (error instanceof SyntaxError) return unreadable(facts(status));
    throw error;
  }
  if (isObject(last.problem)) return failed(problemOf(last.problem, 500, headers), (found, _, failures) => facts(found, last.parts, failures));
  if (last.answer !== undefined) return isObject(last.answer) ? { ok: true, status, body: last.answer, facts: facts(status, last.parts), problem: null } : unreadable(facts(status));
  return unreachable({ client, route, ms: ended() });
}

function failed(problem, facts) {
  const { status, part, code } = problem;
  return { ok: false, status, body: null, facts: facts(status, {}, part ? [{ name: part, state: "failed", reason: code }] : []), problem };
}

// Without an answer: the network, the gateway, a time limit, or a token that could not be loaded.
function unreachable(exchange, error) {
  const isOffline = globalThis.navigator?.onLine === false;
  const isToken = typeof error?.code === "string";
  const code = error?.name === "TimeoutError" ? "timeout" : isOffline ? "offline" : isToken ? error.code : "unreachable";
  const facts = noFacts({ ...exchange, state: ["offline", "unreachable"].includes(code) ? "offline" : "failed" });
  return { ok: false, status: 0, body: null, facts, problem: silence(code, isToken ? error.title : undefined) };
}

/** Parts by name as the list that facts have. */
export function partList(parts) {
  return Object.entries(parts).filter(([, part]) => isObject(part)).map(([name, { status, reason = "", age = 0 }]) => ({ name, state: status, reason, age }));
}
