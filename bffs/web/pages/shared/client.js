// Calls one gateway, and returns for each answer what it is made of.
import { factsOf, noFacts } from "./facts.js";
import { nextRequestId, reportWrite } from "./frame.js";

const TIMEOUT_MS = 10_000;
const TITLES = {
  timeout: "The gateway took too long",
  offline: "This device is offline",
  unreachable: "The gateway does not answer",
};
const READS = /^\s*(query\b|\{)/;

/**
 * Creates a client: createClient({name: "phone", origin: "http://localhost:8002", headers}).
 *
 * `origin` has no slash at its end and may have a path; `headers` is an object, or a function (it may be
 * async) that returns one for each request; after a 401 its `renew()`, if it has one, says whether to try again.
 *
 * Every method returns {ok, status, body, facts, problem}, and rejects for nothing but a wrong call:
 * `ok` whether the screen is there, `body` the JSON (of GraphQL the `data`, which may have what is left when
 * `ok` is false), `problem` null or {status, code, title, detail, part, errors, steps}; status 0 is no response,
 * its code `offline`, `unreachable` or `timeout` (or that of an error of `headers`). `facts`: see facts.js.
 *
 * A write that is done is reported to the start page, if it frames this one (see frame.js).
 *
 * A read replaces an older one of the same `screen` (its path or query, unless given) that is still under
 * way: the older one is aborted, and its promise never settles, so that an old answer can't overwrite a new one.
 */
export function createClient({ name, origin, headers = {}, timeout = TIMEOUT_MS, fetch = globalThis.fetch }) {
  const underWay = new Map();

  async function exchange(method, path, { body, key, fresh = false, screen = null, route = routeOf(path), read }) {
    const aborted = new AbortController();
    if (screen !== null) {
      underWay.get(screen)?.abort();
      underWay.set(screen, aborted);
    }
    const began = performance.now();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      aborted.abort();
    }, timeout);
    const once = async () => {
      const request = { method, signal: aborted.signal, credentials: "same-origin", headers: await headersOf(body, key) };
      const requestId = fresh ? nextRequestId(name) : "";
      if (requestId) request.headers["X-Request-ID"] = requestId;
      if (body !== undefined) request.body = JSON.stringify(body);
      if (fresh) request.cache = "reload"; // the browser sends Cache-Control: no-cache, without a preflight
      return fetch(`${origin}${path}`, request);
    };
    try {
      let response = await once();
      if (response.status === 401 && headers.renew?.()) response = await once();
      const raw = await response.arrayBuffer();
      const received = { client: name, route, status: response.status, headers: response.headers, bytes: raw.byteLength };
      return read(decoded(raw), { ...received, ms: performance.now() - began });
    } catch (error) {
      if (aborted.signal.aborted && !isLate) return new Promise(() => {});
      return unanswered(isLate ? "timeout" : error, { client: name, route, ms: performance.now() - began });
    } finally {
      clearTimeout(timer);
      if (underWay.get(screen) === aborted) underWay.delete(screen);
    }
  }

  async function reporting(exchanged) {
    const answer = await exchanged;
    if (answer.ok) reportWrite();
    return answer;
  }

  async function headersOf(body, key) {
    const own = { Accept: "application/json", ...(typeof headers === "function" ? await headers() : headers) };
    if (body !== undefined) own["Content-Type"] = "application/json";
    if (key) own["Idempotency-Key"] = key;
    return own;
  }

  return {
    name,

    /** Reads a resource; with `fresh` the gateway's caches are bypassed (in development). */
    get: (path, { fresh, screen = routeOf(path) } = {}) => exchange("GET", path, { fresh, screen, read: readRest }),

    /** Writes: `key` is the Idempotency-Key, the same for every try of one write (see newKey). */
    send: (method, path, body, { key } = {}) => reporting(exchange(method, path, { body, key, read: readRest })),

    /**
     * Runs a GraphQL operation. A null with an error is fatal at the root and at the paths of `required`
     * ("home.viewer"); elsewhere, and below the roots in `optional` ("cart"), the screen is degraded. The
     * result has all `errors`, too.
     */
    graphql(query, variables = {}, { fresh, key, required = [], optional = [], screen = READS.test(query) ? query : null } = {}) {
      const read = (body, received) => readGraphql(body, received, { required, optional });
      const exchanged = exchange("POST", "/graphql", { body: { query, variables }, key, fresh, screen, read });
      return READS.test(query) ? exchanged : reporting(exchanged);
    },

    /** Aborts all reads that are under way, as their screen is left. */
    cancel: () => underWay.forEach((aborted) => aborted.abort()),
  };
}

/** Returns a new Idempotency-Key. */
export function newKey() {
  if (globalThis.crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function routeOf(path) {
  return path.split("?")[0];
}

function decoded(raw) {
  try {
    return JSON.parse(new TextDecoder().decode(raw));
  } catch {
    return null;
  }
}

function readRest(body, received) {
  const ok = received.status >= 200 && received.status < 300;
  const problem = ok ? null : problemOf(body, received.status);
  const failedParts = problem?.part ? [{ name: problem.part, state: "failed", reason: problem.code }] : [];
  return { ok, status: received.status, body: ok ? body : null, facts: factsOf({ ...received, failedParts }), problem };
}

function readGraphql(body, received, named) {
  if (!body || (!body.data && !body.errors)) return readRest(body, received);
  const errors = body.errors ?? [];
  const fatal = errors.find((error) => isFatal(error, body.data, named));
  const problem = fatal ? problemOf({ title: fatal.message, ...fatal.extensions }, 500) : null;
  const status = problem?.status ?? received.status;
  const failedParts = errors.flatMap((error) => partOf(error, error === fatal));
  const facts = factsOf({ ...received, status, parts: body.extensions?.parts, failedParts });
  return { ok: !fatal, status, body: body.data ?? null, facts, problem, errors };
}

// A null of a field that can't be null makes its root null.
function isFatal({ path = [] }, data, { required, optional }) {
  const names = path.filter((step) => typeof step === "string");
  if (optional.includes(names[0])) return false;
  return names.length < 2 || data?.[names[0]] === null || required.includes(names.join("."));
}

// A field that the viewer may not see is no part of `Part-Status`: its error says so.
function partOf({ path = [], extensions = {} }, isFatalOne) {
  const { code = "error", part = "" } = extensions;
  if (isFatalOne) return part ? [{ name: part, state: "failed", reason: code }] : [];
  if (extensions.status !== 403) return [];
  return [{ name: part || String(path.findLast((step) => typeof step === "string")), state: "forbidden", reason: code }];
}

function problemOf(body, status) {
  const { title = "", detail = "", code = "", part = "", errors = [], steps = [] } = body ?? {};
  return { status: body?.status || status, code: code || `status_${status}`, title: title || `Status ${status}`, detail, part, errors, steps };
}

function unanswered(cause, { client, route, ms }) {
  if (cause !== "timeout" && !(cause instanceof TypeError) && !cause.code) throw cause;
  const isOffline = globalThis.navigator?.onLine === false;
  const code = cause === "timeout" ? "timeout" : isOffline ? "offline" : (cause.code ?? "unreachable");
  const title = TITLES[code] ?? cause.title;
  const state = ["offline", "unreachable"].includes(code) ? "offline" : "failed";
  const facts = noFacts({ client, route, ms, state });
  return { ok: false, status: 0, body: null, facts, problem: { status: 0, code, title, detail: "", part: "", errors: [] } };
}
