// Calls one gateway, and returns for each answer what it is made of.
import { checked, decoded, isObject, problemOf, silence, unreadable, until } from "./answer.js";
import { factsOf, noFacts } from "./facts.js";
import { nextRequestId, reportWrite } from "./frame.js";

const TIMEOUT_MS = 10_000;
const READS = /^\s*(query\b|\{)/;

/**
 * Creates a client: createClient({name: "phone", origin: "http://localhost:8002", headers}).
 *
 * `origin` has no slash at its end and may have a path; `headers` is an object, or a function (it may be
 * async) that returns one for each request; after a 401 its `renew()`, if it has one, says whether to try again.
 *
 * Every method returns {ok, status, body, facts, problem}, and rejects for nothing but a wrong call:
 * `ok` whether the screen is there, `body` the JSON (of GraphQL the `data`, which may have what is left when
 * `ok` is false), `problem` null or {status, code, title, detail, part, errors, steps, retryAfter} (seconds, 0 is
 * not stated); status 0 is no response, its code `offline`, `unreachable` or `timeout` (or that of an error of
 * `headers`), or `unreadable`: no JSON object, or one without the members of `needs` (see answer.js). `facts`: see facts.js.
 *
 * A write that is done is reported to the start page, if it frames this one (see frame.js).
 *
 * A read replaces an older one of the same `screen` (its path or query, unless given) that is still under
 * way: the older one is aborted, and its promise never settles, so that an old answer can't overwrite a new one.
 */
export function createClient({ name, origin, headers = {}, timeout = TIMEOUT_MS, fetch = globalThis.fetch }) {
  const underWay = new Map();

  async function exchange(method, path, { body, key, fresh = false, screen = null, route = routeOf(path), needs = [], read }) {
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
    const { signal } = aborted;
    const once = async () => {
      const request = { method, signal, credentials: "same-origin", headers: await headersOf(body, key) };
      const requestId = fresh ? nextRequestId(name) : "";
      if (requestId) request.headers["X-Request-ID"] = requestId;
      if (body !== undefined) request.body = JSON.stringify(body);
      if (fresh) request.cache = "reload"; // the browser sends Cache-Control: no-cache, without a preflight
      return fetch(`${origin}${path}`, request);
    };
    const loaded = async () => {
      let response = await once();
      if (response.status === 401 && headers.renew?.()) response = await once();
      return { response, raw: await response.arrayBuffer() };
    };
    let answer;
    try {
      answer = await until(signal, loaded()); // credentials that do not come take no longer than an answer may
    } catch (error) {
      if (signal.aborted && !isLate) return new Promise(() => {});
      return unanswered(isLate ? "timeout" : error, { client: name, route, ms: performance.now() - began });
    } finally {
      clearTimeout(timer);
      if (underWay.get(screen) === aborted) underWay.delete(screen);
    }
    const { response, raw } = answer;
    const { status, headers: received } = response;
    const facts = { client: name, route, status, headers: received, bytes: raw.byteLength, ms: performance.now() - began };
    return checked(read(decoded(raw, received.get("content-type")), facts), needs);
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
    get: (path, { fresh, screen = routeOf(path), needs } = {}) => exchange("GET", path, { fresh, screen, needs, read: readRest }),

    /** Writes: `key` is the Idempotency-Key, the same for every try of one write (see newKey). */
    send: (method, path, body, { key, needs } = {}) => reporting(exchange(method, path, { body, key, needs, read: readRest })),

    /**
     * Runs a GraphQL operation. A null with an error is fatal at the root and at the paths of `required`
     * ("home.viewer"); elsewhere, and below the roots in `optional` ("cart"), the screen is degraded. The
     * result has all `errors`, too.
     */
    graphql(query, variables = {}, { fresh, key, needs, required = [], optional = [], screen = READS.test(query) ? query : null } = {}) {
      const read = (body, received) => readGraphql(body, received, { required, optional });
      const exchanged = exchange("POST", "/graphql", { body: { query, variables }, key, fresh, screen, needs, read });
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

function readRest(body, received) {
  const ok = received.status >= 200 && received.status < 300;
  const problem = ok ? null : problemOf(body, received.status, received.headers);
  const failedParts = problem?.part ? [{ name: problem.part, state: "failed", reason: problem.code }] : [];
  const facts = factsOf({ ...received, failedParts });
  if (ok && !isObject(body)) return unreadable(facts);
  return { ok, status: received.status, body: ok ? body : null, facts, problem };
}

function readGraphql(body, received, named) {
  const data = isObject(body?.data) ? body.data : null;
  const errors = Array.isArray(body?.errors) ? body.errors.filter(isObject).map(errorOf) : [];
  if (!data && errors.length === 0) {
    const result = readRest(body, received);
    return result.ok ? unreadable(result.facts) : result;
  }
  const fatal = errors.find((error) => isFatal(error, data, named));
  const problem = fatal ? problemOf({ title: fatal.message, ...fatal.extensions }, 500, received.headers) : null;
  const status = problem?.status ?? received.status;
  const failedParts = errors.flatMap((error) => partOf(error, error === fatal));
  const facts = factsOf({ ...received, status, parts: partsOf(body), failedParts });
  return { ok: !fatal, status, body: data, facts, problem, errors };
}

// Errors of a proxy may be anything.
function errorOf({ message, path, extensions }) {
  return { message: String(message ?? ""), path: Array.isArray(path) ? path : [], extensions: isObject(extensions) ? extensions : {} };
}

function partsOf({ extensions }) {
  const stated = isObject(extensions?.parts) ? extensions.parts : {};
  return Object.fromEntries(Object.entries(stated).filter(([, part]) => isObject(part)));
}

// A null of a field that can't be null makes its root null.
function isFatal({ path }, data, { required, optional }) {
  const names = path.filter((step) => typeof step === "string");
  if (data === null) return true;
  if (optional.includes(names[0])) return false;
  return names.length < 2 || (data[names[0]] ?? null) === null || required.includes(names.join("."));
}

// A field that the viewer may not see is no part of `Part-Status`: its error says so.
function partOf({ path, extensions }, isFatalOne) {
  const { code, part } = problemOf({ code: "error", ...extensions }, 500);
  if (isFatalOne) return part ? [{ name: part, state: "failed", reason: code }] : [];
  if (extensions.status !== 403) return [];
  return [{ name: part || String(path.findLast((step) => typeof step === "string")), state: "forbidden", reason: code }];
}

function unanswered(cause, { client, route, ms }) {
  const own = typeof cause.code === "string" ? cause.code : null; // why there are no credentials
  if (cause !== "timeout" && !(cause instanceof TypeError) && !own) throw cause;
  const isOffline = globalThis.navigator?.onLine === false;
  const code = cause === "timeout" ? "timeout" : isOffline ? "offline" : (own ?? "unreachable");
  const state = ["offline", "unreachable"].includes(code) ? "offline" : "failed";
  const facts = noFacts({ client, route, ms, state });
  return { ok: false, status: 0, body: null, facts, problem: silence(code, cause.title) };
}
