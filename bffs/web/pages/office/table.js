// Tables: heads that stay visible and sort, rows that arrows move through, and what stands in a
// table that has no rows.

import { el, icon } from "../shared/dom.js";
import { nextSort } from "./sort.js";

// `columns`: [{key, head, isNumber, isMiddle, isWide, isHidden, value, cell}]. `value(row)` makes a column
// sortable; `cell(row)` returns a node or a text; a column that `isMiddle` or `isWide` is left out where the table is narrow.
// `rows`: [{row, id, isSelected, note}] where `note` is a node for a line of its own below the row.
export function table({ label, columns, rows, sort = null, onSort = null, message = null, height = 0 }) {
  const heads = columns.map((column) => head(column, sort, onSort));
  const lines = rows.flatMap((one) => line(one, columns));
  const body = message ? [messageRow(message, columns, height)] : lines;
  return el(
    "table",
    { class: "grid", "aria-label": label, onkeydown: moveThroughRows },
    el("thead", {}, el("tr", {}, heads)),
    el("tbody", { style: message && height ? { "--rows": height } : {}, class: message && height ? "holds" : null }, body),
  );
}

function classes(column) {
  return [column.isNumber && "num", column.isWide && "wide", column.isMiddle && "middle", column.class].filter(Boolean).join(" ") || null;
}

function head(column, sort, onSort) {
  const isSorted = sort?.key === column.key;
  const attributes = { class: classes(column), scope: "col", "aria-sort": isSorted ? sort.direction : null };
  if (column.isHidden) return el("th", attributes, el("span", { class: "sr" }, column.head));
  if (!onSort || !column.value) return el("th", attributes, column.head);
  const arrow = isSorted ? el("span", { class: "arrow", "aria-hidden": "true" }, sort.direction === "ascending" ? "↑" : "↓") : null;
  const button = el(
    "button",
    { type: "button", class: "sorter", id: `sort-${column.key}`, onclick: () => onSort(nextSort(sort, column.key)) },
    column.head,
    arrow,
  );
  return el("th", attributes, button);
}

function line({ row, id, isSelected, note }, columns) {
  const cells = columns.map((column) => el("td", { class: classes(column) }, column.cell(row)));
  const shown = el("tr", { id: id ?? null, class: isSelected ? "selected" : null }, cells);
  return note ? [shown, el("tr", { class: "row-note", hidden: !note.textContent }, el("td", { colspan: columns.length }, note))] : [shown];
}

function messageRow(message, columns) {
  return el("tr", { class: "message" }, el("td", { colspan: columns.length }, message));
}

// A placeholder of the final height, for what is still loading.
export function skeleton(rows, label) {
  const lines = Array.from({ length: rows }, () => el("div", { class: "bone" }));
  return el("div", { class: "bones", role: "status", "aria-label": `${label} is loading` }, lines);
}

// Arrows, Home and End move the focus within a column of links or fields.
function moveThroughRows(event) {
  const here = event.target.closest("[data-column]");
  if (!here || event.altKey || event.ctrlKey || event.metaKey) return;
  const isField = here.tagName === "INPUT";
  const all = [...event.currentTarget.querySelectorAll(`[data-column="${here.dataset.column}"]`)];
  const at = all.indexOf(here);
  const page = 10;
  const moves = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page };
  if (!isField) Object.assign(moves, { j: at + 1, k: at - 1, Home: 0, End: all.length - 1 });
  else moves.Enter = event.shiftKey ? at - 1 : at + 1;
  const to = moves[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const next = all[Math.max(0, Math.min(to, all.length - 1))];
  if (!isField) rove(all, next);
  next.focus();
  if (isField) next.select();
}

// Tab reaches one link of a table, the arrows reach the others.
function rove(all, current) {
  for (const one of all) one.tabIndex = one === current ? 0 : -1;
}

export function rowLink(href, text, { index, isCurrent = false, class: name = "" }) {
  const isFirst = index === 0;
  return el("a", { href, class: `row-link ${name}`.trim(), id: `go${href.replace(/[^a-z0-9-]/gi, "-")}`, "data-column": "link", tabindex: isFirst ? null : "-1", "aria-current": isCurrent ? "true" : null }, text);
}

export function message(kind, text, ...actions) {
  return el("span", { class: `says ${kind}` }, icon(kind, { size: 12 }), el("span", {}, text), actions);
}
