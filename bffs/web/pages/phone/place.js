// What stands in the place of something that is not there, so that nothing moves.
import { el, icon } from "../shared/dom.js";
import { span } from "../shared/format.js";
import { sayState } from "../shared/parts.js";
import { isGone } from "./words.js";

/** "Deals not available (timeout)" for a part that is gone, "20 s old" for an old one, else null. */
export function gap(part, label) {
  if (!part || part.state === "ok") return null;
  if (part.state === "stale") return el("span", { class: "note is-stale" }, icon("stale", { size: 11 }), `${span(part.age)} old`);
  if (!isGone(part)) return null;
  return el("span", { class: `note is-${part.state}` }, icon(part.state, { size: 11 }), `${label} ${sayState(part)}`);
}

/** The box of a list without entries: why it is not available, or the words for an empty list. */
export function place(part, label, words) {
  return el("p", { class: "place" }, (isGone(part) && gap(part, label)) || words);
}
