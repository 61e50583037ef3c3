// Pages of a list that has cursors: which one is shown, and links to those around it.

import { el, icon } from "../shared/dom.js";
import { count } from "./words.js";

// A cursor leads forward only, so the cursors of earlier pages are remembered.
export class Pages {
  constructor() {
    this.cursors = [""];
    this.number = 1;
    this.isRead = false;
  }

  get cursor() {
    return this.cursors[this.number - 1] ?? "";
  }

  // Reads ?page=3&after=…; returns whether that is another page than before.
  read(query) {
    const number = Math.max(1, Math.trunc(Number(query.get("page") ?? 1)) || 1);
    const after = query.get("after");
    const isMoved = !this.isRead || number !== this.number;
    this.number = after || this.cursors[number - 1] !== undefined ? number : 1;
    if (after && this.number > 1) this.cursors[this.number - 1] = after;
    this.isRead = true;
    return isMoved;
  }

  // Remembers what follows the page that is shown.
  learn(next) {
    if (next) this.cursors[this.number] = next;
  }

  // Starts again, as for another search.
  reset() {
    this.cursors = [""];
    this.number = 1;
    this.isRead = false;
  }

  // The query of a page; null if its cursor is not known.
  query(number) {
    if (number === 1) return "";
    const cursor = this.cursors[number - 1];
    return cursor === undefined ? null : `page=${number}&after=${encodeURIComponent(cursor)}`;
  }
}

export function pager({ base, query = "", pages, shown, limit, total, next, sort }) {
  const first = (pages.number - 1) * limit + 1;
  const range = shown ? `${first.toLocaleString("en")}–${(first + shown - 1).toLocaleString("en")} of ${total.toLocaleString("en")}` : count(0, "row");
  const address = (number) => {
    const page = pages.query(number);
    if (page === null) return null;
    const all = [query, page].filter(Boolean).join("&");
    return `#${base}${all ? `?${all}` : ""}`;
  };
  const previous = pages.number > 1 ? address(pages.number - 1) ?? address(1) : null;
  return el(
    "nav",
    { class: "pager", "aria-label": "Pages" },
    el("span", {}, range),
    el("span", { class: "muted" }, sort ? "Sorted within this page." : ""),
    el("span", { class: "grow" }),
    step("Previous", "back", previous),
    step("Next", "next", next ? address(pages.number + 1) : null),
  );
}

function step(text, shape, href) {
  const content = shape === "back" ? [icon(shape, { size: 12 }), text] : [text, icon(shape, { size: 12 })];
  if (!href) return el("span", { class: "small is-off", "aria-disabled": "true" }, content);
  return el("a", { class: "small", href, id: `page-${text.toLowerCase()}` }, content);
}
