// A progressive answer (NDJSON): one line for each part as it ends, then the whole answer.
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
    if (line.answer !== undefined || line.problem !== undefined) return { parts, ...line };
    const { part, value, ...state } = line;
    parts[part] = state;
    if (value !== undefined) onPart(Object.assign(body, value), parts);
  }
  return { parts };
}

/**
 * Reads a screen part by part. Returns {ok, status, body, facts, problem}, as the client does for a whole
 * answer. `headers()` returns those of the viewer; `onPart(body, parts)` gets the parts as they come, in the shape of `facts.parts`.
 */
export async function readProgressively({ client, origin, path, headers, fresh, onPart, fetch = globalThis.fetch }) {
  const route = path.split("?")[0];
  const began = performance.now();
  const ended = () => performance.now() - began;
  try {
    const request = { headers: { ...(await headers()), Accept: TYPE }, signal: AbortSignal.timeout(TIMEOUT_MS) };
    if (fresh) request.cache = "reload";
    const response = await fetch(`${origin}${path}`, request);
    const { status } = response;
    let bytes = 0;
    const lines = readLines(response.body, (count) => (bytes += count));
    const facts = (found, parts, failedParts = []) =>
      factsOf({ client, route, status: found, headers: response.headers, bytes, ms: ended(), parts: parts.parts, failedParts });
    if (!response.headers.get("content-type")?.startsWith(TYPE)) {
      const { value = {} } = await lines.next();
      for await (const _ of lines); // a document is one line
      if (response.ok) return { ok: true, status, body: value, facts: facts(status, {}), problem: null };
      return failed(value, status, response, (failures) => facts(status, {}, failures));
    }
    const last = await collect(lines, (body, parts) => onPart(body, partList(parts)));
    if (last.answer) return { ok: true, status, body: last.answer, facts: facts(status, last), problem: null };
    if (last.problem) return failed(last.problem, last.problem.status, response, (failures) => facts(last.problem.status, last, failures));
    return unreachable({ client, route, ms: ended() });
  } catch (error) {
    if (error.name !== "TimeoutError" && !(error instanceof TypeError) && !(error instanceof SyntaxError) && !error.code) throw error;
    return unreachable({ client, route, ms: ended() }, error);
  }
}

function failed(body, status, response, facts) {
  const { title = `Status ${status}`, detail = "", code = `status_${status}`, part = "", errors = [] } = body;
  const retryAfter = Number(response.headers.get("retry-after")) || 0;
  const problem = { status, code, title, detail, part, errors, retryAfter };
  return { ok: false, status, body: null, facts: facts(part ? [{ name: part, state: "failed", reason: code }] : []), problem };
}

const TITLES = { timeout: "The gateway took too long", offline: "This device is offline", unreachable: "The gateway does not answer" };

// Without an answer: the network, the gateway, a time limit, or a token that could not be loaded.
function unreachable(exchange, error) {
  const isOffline = globalThis.navigator?.onLine === false;
  const isToken = typeof error?.code === "string";
  const code = error?.name === "TimeoutError" ? "timeout" : isOffline ? "offline" : isToken ? error.code : "unreachable";
  const facts = noFacts({ ...exchange, state: ["offline", "unreachable"].includes(code) ? "offline" : "failed" });
  const problem = { status: 0, code, title: TITLES[code] ?? error.title, detail: "", part: "", errors: [] };
  return { ok: false, status: 0, body: null, facts, problem };
}

/** Parts by name as the list that facts have. */
export function partList(parts) {
  return Object.entries(parts).map(([name, { status, reason = "", age = 0 }]) => ({ name, state: status, reason, age }));
}
