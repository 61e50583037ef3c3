// One order: its lines with the product and stock of today, its sums and its payment.

import { el, icon, replace } from "../shared/dom.js";
import { words } from "../shared/format.js";
import { money } from "../shared/money.js";
import { ages, amount, notKnown, orderStatus, picture, stock, symbolOf } from "./cells.js";
import { Screen } from "./screen.js";
import { table } from "./table.js";
import { count, longDay } from "./words.js";

export function orderPane(app) {
  const node = el("div", { class: "detail" });
  let screen = null;

  // `known` is the order as the list has it, drawn until the reply is here.
  function show(id, known) {
    if (screen?.id === id) return null;
    screen = new Screen(app, { what: `Order ${known?.order.number ?? id}`, key: `order:${id}`, rows: 10, draw, needs: ["order.lines[]", "order.totals.total", "lines[]"] });
    screen.id = id;
    if (known) screen.last = { body: known, facts: { parts: [] }, at: Date.now() };
    replace(node, screen.node);
    return screen.load(`/v1/orders/${encodeURIComponent(id)}`, { fresh: app.isFresh });
  }

  return { node, show, refresh: (options) => screen?.again(options) };
}

function draw(wide, facts) {
  const { order } = wide;
  return el(
    "section",
    { class: "pane", "aria-labelledby": "order-title" },
    el(
      "header",
      { class: "pane-head" },
      el("a", { class: "small back", href: "#/orders" }, icon("back", { size: 12 }), "Orders"),
      el("h1", { id: "order-title" }, el("span", { class: "code" }, order.number)),
      el("span", {}, orderStatus(order.status)),
      ages(facts, "order", "stock", "payment"),
      el("a", { class: "small close", href: "#/orders", "aria-label": "Close the order" }, icon("close", { size: 12 })),
    ),
    el("p", { class: "pane-note" }, `Placed ${longDay(order.placed_at)} · ${count(order.lines.length, "line")} · ${money(order.totals.total.amount, order.totals.total.currency)}`),
    lines(wide, facts),
    el("div", { class: "sums" }, sums(order.totals), payment(wide, facts)),
  );
}

function lines({ order, lines: wide }, facts) {
  const symbol = symbolOf(order.totals.total.currency);
  return table({
    label: `Lines of order ${order.number}`,
    columns: [
      { key: "picture", head: "Picture", isHidden: true, class: "thumb", cell: ({ product }) => picture(product) },
      { key: "sku", head: "SKU", class: "code", cell: ({ line }) => line.sku },
      { key: "title", head: "Product", class: "fill", cell: (row) => productOf(row, facts) },
      { key: "stock", head: "Stock", isNumber: true, cell: (row) => skuStock(row, facts) },
      { key: "each", head: `Each ${symbol}`, isNumber: true, isWide: true, cell: ({ line }) => amount(line.unit_price) },
      { key: "quantity", head: "Qty", isNumber: true, cell: ({ line }) => line.quantity },
      { key: "total", head: `Total ${symbol}`, isNumber: true, cell: ({ line }) => amount(line.total) },
    ],
    rows: wide.map((row) => ({ row })),
  });
}

// The title is that of the order; a product that is sold today has a page.
function productOf({ line, product }, facts) {
  if (product) return el("a", { href: `#/products/${product.id}` }, line.title);
  const isGone = !facts.parts.some(({ name, state }) => name === "summary" && state !== "ok");
  return el("span", {}, line.title, el("span", { class: "muted" }, isGone ? " (not sold today)" : ""));
}

function skuStock(row, facts) {
  const own = row.stock?.skus.find(({ sku }) => sku === row.line.sku);
  return stock({ stock: own ?? row.stock }, facts);
}

function sums(totals) {
  const rows = [["Subtotal", totals.subtotal], ["Shipping", totals.shipping], ["Tax, included", totals.tax], ["Total", totals.total]];
  return el("dl", { class: "facts" }, rows.map(([name, value]) => [el("dt", {}, name), el("dd", { class: "num" }, money(value.amount, value.currency))]));
}

function payment({ payment: paid, order }, facts) {
  const rows = paid
    ? [
        ["Payment", words(paid.status)],
        ["Method", paid.method.label],
        ["Paid", money(paid.amount.amount, paid.amount.currency)],
        ["Refunded", paid.refunded.amount ? money(paid.refunded.amount, paid.refunded.currency) : "nothing"],
      ]
    : [["Payment", order.payment_id ? notKnown(facts, "payment") : "nothing was paid"]];
  return el("dl", { class: "facts" }, rows.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}
