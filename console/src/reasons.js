// Reasons of parts, calls and attempts in a few words, for labels. Sentences are the server's.

const WORDS = {
  bad_payload: "unreadable reply", bad_status: "error status", bulkhead_full: "too many calls at once", circuit_open: "circuit breaker open",
  dependency: "another part is degraded", not_allowed: "no permission", shed: "gateway overloaded", unavailable: "not reachable",
};

export function reasonInWords(code) {
  return WORDS[code] ?? code.replaceAll("_", " ");
}

/** The age of a cached value (seconds) and the reason: "23 s old, timeout". */
export function ageAndReason({ age, reason }) {
  const old = age === null || age === undefined ? "" : `${Math.round(age)} s old`;
  return [old, reasonInWords(reason)].filter(Boolean).join(", ");
}
