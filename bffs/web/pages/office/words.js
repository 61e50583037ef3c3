// Words of this app: counts, days, and what stands where a value is missing.

import { span, words } from "../shared/format.js";
import { isWhole, partOf, sayReason } from "../shared/parts.js";

export function count(number, one, many = `${one}s`) {
  return `${new Intl.NumberFormat("en").format(number)} ${number === 1 ? one : many}`;
}

// "1 of 48 rows"; without a total (null or 0) "1 row".
export function rowsText(number, total) {
  return total ? `${new Intl.NumberFormat("en").format(number)} of ${count(total, "row")}` : count(number, "row");
}

// "2026-10-25T09:12:00Z" as "25 Oct", with the year where it is not that of `now`.
export function shortDay(text, now = new Date()) {
  return dayOf(text, (date) => date.getUTCFullYear() !== now.getUTCFullYear());
}

// "25 Oct 2026"
export function longDay(text) {
  return dayOf(text, () => true);
}

function dayOf(text, hasYear) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return String(text);
  const month = new Intl.DateTimeFormat("en", { month: "short", timeZone: "UTC" }).format(date);
  return `${date.getUTCDate()} ${month}${hasYear(date) ? ` ${date.getUTCFullYear()}` : ""}`;
}

// The first of these parts that is not whole, null if all are.
export function brokenPart(facts, ...names) {
  const parts = names.map((name) => partOf(facts, name));
  return parts.find((part) => part && !isWhole(part)) ?? null;
}

// "Stock is not known: timeout." for a part that is not there; `what` is a subject with its verb.
export function missingSentence(what, part) {
  if (part.state === "forbidden") return `${what} not shown: this sign-in is not allowed to see it.`;
  return `${what} not known: ${words(part.name)} failed (${sayReason(part.reason)}).`;
}

// "23 s old" for a part that comes from a cache past its time.
export function ageWords(part) {
  return part?.state === "stale" ? `${span(part.age)} old` : "";
}
