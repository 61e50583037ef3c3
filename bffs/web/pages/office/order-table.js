// The table of orders that home and the list of orders share.

import { el } from "../shared/dom.js";
import { words } from "../shared/format.js";
import { amount, notKnown, orderStatus, placed, symbolOf } from "./cells.js";
import { unknown } from "./product-table.js";
import { sortRows } from "./sort.js";
import { rowLink, table } from "./table.js";
import { brokenPart, missingSentence } from "./words.js";

// `rows` are {order} (home) or {order, lines, payment} (the list, which `isWide`).
export function orderTable({ rows, facts, source, isWide = false, sort = null, onSort = null, selected = null, height = 0 }) {
  const value = VALUES[sort?.key];
  const sorted = value ? sortRows(rows, value, sort.direction) : rows;
  const lines = sorted.map((row, index) => ({ row: { ...row, index, selected }, isSelected: row.order.id === selected }));
  const currency = rows[0]?.order.totals.total.currency ?? "EUR";
  const broken = rows.length ? null : brokenPart(facts, ...source);
  const none = el("span", { class: "muted" }, "No orders yet.");
  const message = rows.length ? null : broken ? unknown(missingSentence("Orders are", broken)) : none;
  const shown = columns(facts, currency).filter(({ key }) => isWide || !["payment", "stock"].includes(key));
  return table({ label: "Orders", columns: shown, rows: lines, sort, onSort, message, height });
}

const VALUES = {
  number: ({ order }) => order.number,
  placed: ({ order }) => order.placed_at,
  status: ({ order }) => order.status,
  lines: ({ order }) => order.lines.length,
  payment: ({ payment }) => payment?.status ?? null,
  stock: ({ lines }) => leastStock(lines),
  total: ({ order }) => order.totals.total.amount,
};

function columns(facts, currency) {
  return [
    {
      key: "number",
      head: "Number",
      value: VALUES.number,
      class: "code w90",
      cell: ({ order, index, selected }) => rowLink(`#/orders/${order.id}`, order.number, { index, isCurrent: order.id === selected }),
    },
    { key: "placed", head: "Placed", value: VALUES.placed, class: "w80", cell: ({ order }) => placed(order) },
    { key: "status", head: "Status", value: VALUES.status, class: "fill-narrow", cell: ({ order }) => orderStatus(order.status) },
    { key: "products", head: "Products", isMiddle: true, class: "fill", cell: ({ order }) => productsOf(order) },
    { key: "payment", head: "Payment", value: VALUES.payment, isWide: true, cell: (row) => paymentWords(row.payment, facts) },
    { key: "stock", head: "Least stock", value: VALUES.stock, isNumber: true, isWide: true, cell: ({ lines }) => stockOfLines(lines, facts) },
    { key: "lines", head: "Lines", value: VALUES.lines, isNumber: true, class: "w40 roomy", cell: ({ order }) => order.lines.length },
    { key: "total", head: `Total ${symbolOf(currency)}`, value: VALUES.total, isNumber: true, class: "w70", cell: ({ order }) => amount(order.totals.total) },
  ];
}

function productsOf({ lines }) {
  const more = lines.length > 1 ? el("span", { class: "muted" }, ` and ${lines.length - 1} more`) : null;
  return el("span", {}, lines[0]?.title ?? "", more);
}

export function paymentWords(payment, facts) {
  if (!payment) return notKnown(facts, "payment");
  const refunded = payment.refunded.amount > 0 ? `, refunded ${amount(payment.refunded)}` : "";
  return el("span", {}, words(payment.status), el("span", { class: "muted" }, ` ${payment.method.label}${refunded}`));
}

function leastStock(lines) {
  const known = (lines ?? []).map(({ stock }) => stock?.available ?? null).filter((one) => one !== null);
  return known.length ? Math.min(...known) : null;
}

function stockOfLines(lines, facts) {
  const least = leastStock(lines);
  if (least === null) return notKnown(facts, "stock");
  return least === 0 ? el("span", { class: "stock-none" }, "none left") : String(least);
}
