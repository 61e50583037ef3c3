// Sums of a cart or an order.
import { el } from "../shared/dom.js";
import { money } from "../shared/money.js";
import { missing } from "./pieces.js";

/** Draws subtotal, delivery, total, and the taxes in it. */
export function totalsTable({ subtotal, shipping, tax, total }) {
  const row = (label, value, classes = "") => el("div", { class: classes }, el("dt", {}, label), el("dd", {}, value));
  const off = subtotal.amount + shipping.amount - total.amount;
  return el(
    "dl",
    { class: "totals" },
    row("Goods", money(subtotal.amount, subtotal.currency)),
    off > 0 && row("Discount", `−${money(off, total.currency)}`),
    row("Delivery", shipping.amount ? money(shipping.amount, shipping.currency) : "free"),
    row("Total", money(total.amount, total.currency), "is-total"),
    row("Taxes in it", money(tax.amount, tax.currency), "is-fine"),
  );
}

/** Draws the sums of a cart; in words if they are not known. */
export function totalsBox({ totals }, part) {
  const sums = totals ? totalsTable(totals) : missing(part("totals"), "The sums are not known at the moment.");
  return el("section", { class: "box" }, el("h2", {}, "What it costs"), sums);
}
