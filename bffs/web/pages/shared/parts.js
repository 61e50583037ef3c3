// Parts of a screen in words: what is missing, why, and how old a value is.
import { el, icon } from "./dom.js";
import { duration, span, words } from "./format.js";

const REASONS = {
  bad_payload: "wrong reply",
  bad_status: "answered with an error",
  bulkhead_full: "too many calls",
  circuit_open: "circuit open",
  credentials_unavailable: "no credentials",
  dependency: "needs another part",
  error: "error",
  not_allowed: "not allowed",
  not_found: "not found",
  shed: "left out under load",
  timeout: "timeout",
  unavailable: "no answer",
};

const STATES = {
  partial: "incomplete",
  fallback: "not available",
  missing: "not available",
  forbidden: "not allowed",
  failed: "failed",
};

/** Whether a part is as it should be: complete, though it may be old. */
export function isWhole(part) {
  return !part || part.state === "ok" || part.state === "stale";
}

/** Returns the part of this name from facts, or undefined. Names have no case. */
export function partOf(facts, name) {
  return facts.parts.find((part) => part.name.toLowerCase() === name.toLowerCase());
}

/** Returns a reason code in words: "circuit_open" as "circuit open". */
export function sayReason(reason) {
  return REASONS[reason] ?? words(reason);
}

/** Returns a part in words: "reviews: not available (timeout), 0.6 s"; only the name if it is ok. */
export function sayPart(part) {
  const name = words(part.name);
  if (part.state === "ok") return name;
  if (part.state === "stale") return `${name}: ${span(part.age)} old`;
  const taken = part.ms === null || part.ms === undefined ? "" : `, ${duration(part.ms)}`;
  return `${name}: ${sayState(part)}${taken}`;
}

/** Returns what became of a part: "not available (timeout)". */
export function sayState({ state, reason }) {
  const said = STATES[state] ?? state;
  const why = reason && sayReason(reason);
  return why && why !== said ? `${said} (${why})` : said;
}

/** Draws a part as a badge: shape, name, and what is wrong with it; `text` says it in other words. */
export function badge(part, text = sayPart(part)) {
  const shape = ["ok", "stale", "partial", "fallback", "missing", "forbidden", "failed"].includes(part.state) ? part.state : "missing";
  return el("span", { class: `part is-${shape}` }, icon(shape, { size: 10 }), text);
}

/**
 * Draws what takes the place of a part that is not there: note(part, "stock") says "stock not available",
 * and the reason as its title. Returns null if nothing is wrong; an old value has its age.
 */
export function note(part, what = words(part?.name ?? "")) {
  if (!part || part.state === "ok") return null;
  if (part.state === "stale") return el("span", { class: "note is-stale" }, icon("stale", { size: 11 }), `${span(part.age)} old`);
  const said = `${what} ${STATES[part.state] ?? part.state}`;
  return el("span", { class: `note is-${part.state}`, title: `${what}: ${sayState(part)}` }, icon(part.state, { size: 11 }), said);
}
