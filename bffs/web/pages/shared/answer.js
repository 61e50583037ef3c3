// What an answer says, whatever a proxy or a fault on its way has made of it.

const TITLES = {
  timeout: "The gateway took too long",
  offline: "This device is offline",
  unreachable: "The gateway does not answer",
  unreadable: "The answer could not be read",
};
const JSON_TYPE = /^application\/([\w.-]+\+)?json\b/i;
const MOST_SECONDS = 3600;

/** Returns the JSON of a body of this media type (null is not stated); undefined if it is none. */
export function decoded(raw, type) {
  if (type !== null && !JSON_TYPE.test(type)) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(raw));
  } catch {
    return undefined;
  }
}

/** Whether a value is a JSON object, and neither null nor a list. */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether an object has what a screen can't do without: hasMembers(body, ["cart.lines[]", "total"]); `[]` is a list. */
export function hasMembers(body, names) {
  return isObject(body) && names.every((name) => (name.endsWith("[]") ? Array.isArray(memberOf(body, name.slice(0, -2))) : memberOf(body, name) !== null));
}

function memberOf(body, name) {
  return name.split(".").reduce((value, step) => value?.[step] ?? null, body);
}

/** Returns a result as it is, or as a problem if its body lacks one of these members. */
export function checked(result, needs) {
  return result.ok && !hasMembers(result.body, needs) ? unreadable(result.facts) : result;
}

/** Returns the result of an answer that can't be read: what it did is not known, as if none had come. */
export function unreadable(facts) {
  return { ok: false, status: 0, body: null, facts: { ...facts, state: "failed" }, problem: silence("unreadable") };
}

/** Returns the problem of a status and its body, with members of the right kinds: see client.js. */
export function problemOf(body, status, headers = new Headers()) {
  const said = isObject(body) ? body : {};
  return {
    status: isFailure(said.status) ? said.status : status,
    code: text(said.code) || `status_${status}`,
    title: text(said.title) || `Status ${status}`,
    detail: text(said.detail),
    part: text(said.part),
    errors: objects(said.errors),
    steps: objects(said.steps).filter(({ step, state }) => text(step) && text(state)),
    retryAfter: secondsOf(headers.get("retry-after")),
  };
}

/** Returns the problem of a request without an answer, or with one that can't be read. */
export function silence(code, title = TITLES[code]) {
  return { status: 0, code, title: title ?? TITLES.unreachable, detail: "", part: "", errors: [], steps: [], retryAfter: 0 };
}

/** Returns "Try again in 60 s." of a problem that says when; else "". */
export function sayWhen({ retryAfter = 0 }) {
  return retryAfter > 0 ? `Try again in ${retryAfter < 120 ? `${retryAfter} s` : `${Math.ceil(retryAfter / 60)} min`}.` : "";
}

/** Waits for a promise, but no longer than until the signal is aborted: then this rejects with its reason. */
export function until(signal, promise) {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

// `Retry-After` is a number of seconds, or a date.
function secondsOf(header, now = Date.now()) {
  if (!header) return 0;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isFinite(seconds) ? Math.min(MOST_SECONDS, Math.max(0, Math.ceil(seconds))) : 0;
}

function isFailure(status) {
  return Number.isInteger(status) && status >= 400 && status < 600;
}

function text(value) {
  return typeof value === "string" ? value : "";
}

function objects(value) {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
