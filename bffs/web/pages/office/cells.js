// Cells of tables: pictures, amounts, stock, ratings, states; and what stands where one is missing.

import { el, icon } from "../shared/dom.js";
import { span, words } from "../shared/format.js";
import { money } from "../shared/money.js";
import { partOf, sayState } from "../shared/parts.js";
import { columnText } from "./price-text.js";
import { brokenPart, longDay, shortDay } from "./words.js";

// Stands where a value is missing; `part` is what it would have come from.
export function notKnown(facts, ...names) {
  const part = brokenPart(facts, ...names);
  if (!part) return el("span", { class: "muted" }, "none");
  if (part.state === "forbidden") return el("span", { class: "is-forbidden" }, "not allowed");
  return el("span", { class: "is-unknown", title: `${words(part.name)}: ${sayState(part)}` }, "not known");
}

export function picture(product, size = 22) {
  if (!product?.image) return el("span", { class: "pic" });
  const hide = ({ target }) => target.replaceWith(picture(null)); // a plain square, not a broken image
  return el("img", { class: "pic", src: product.image, alt: "", width: size, height: size, loading: "lazy", onerror: hide });
}

export function amount(value) {
  return value ? columnText(value.amount, value.currency) : "";
}

export function fullAmount(value) {
  return value ? money(value.amount, value.currency) : "";
}

export function stock(row, facts) {
  if (!row.stock) return notKnown(facts, "stock");
  return stockWord(row.stock);
}

const STOCK = { in_stock: "", low: "low", out_of_stock: "none left" };

export function stockWord({ status, available }) {
  const word = STOCK[status] ?? words(status);
  if (status === "out_of_stock") return el("span", { class: "stock-none" }, word);
  return el("span", {}, word && el("em", { class: "stock-low" }, `${word} `), String(available));
}

export function rating(row, facts) {
  if (!row.rating) return notKnown(facts, "rating");
  const { average, count } = row.rating;
  if (!count) return el("span", { class: "muted" }, "none");
  return el("span", {}, average.toFixed(1), " ", el("span", { class: "muted" }, `(${count})`));
}

// The order's state: what is under way stands out, what is over steps back.
export function orderStatus(status) {
  const isOpen = ["placed", "pending", "paid", "packed", "processing", "shipped"].includes(status);
  const isOver = ["returned", "cancelled", "refunded"].includes(status);
  return el("span", { class: isOpen ? "status-open" : isOver ? "status-over" : "status-done" }, words(status));
}

export function placed(order) {
  return el("time", { datetime: order.placed_at, title: longDay(order.placed_at) }, shortDay(order.placed_at));
}

export function initials(name) {
  const letters = name.split(/\s+/).map((part) => part[0] ?? "");
  return `${letters[0] ?? ""}${letters.length > 1 ? letters.at(-1) : ""}`.toUpperCase();
}

// "Price € " for the head of a column whose amounts have one currency.
export function symbolOf(currency) {
  const parts = new Intl.NumberFormat("en", { style: "currency", currency }).formatToParts(0);
  return parts.find(({ type }) => type === "currency")?.value ?? currency;
}

// What is old on a pane, for its head: "price 23 s old, stock 23 s old"; takes the free space there.
export function ages(facts, ...names) {
  const old = names.map((name) => partOf(facts, name)).filter((part) => part?.state === "stale");
  const said = old.map(({ name, age }) => `${words(name)} ${span(age)} old`).join(", ");
  return el("span", { class: "ages is-stale" }, old.length > 0 && icon("stale", { size: 11 }), el("span", { title: said || null }, said));
}
