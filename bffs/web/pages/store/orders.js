// The customer's orders, and one of them.
import { el, icon } from "../shared/dom.js";
import { day } from "../shared/format.js";
import { money } from "../shared/money.js";
import { link } from "./links.js";
import { ageOf, bone, button, missing, picture, reply } from "./pieces.js";
import { MORE_ORDERS, ONE_ORDER, ORDERS } from "./queries.js";
import { totalsTable } from "./totals.js";
import { orderStatus, paymentWords, plural, problemWords } from "./words.js";

const FIRST = 8;

export const orders = {
  name: "orders",
  subject: "your orders",
  query: ORDERS,
  needs: ["orders.items[]"],
  optional: ["cart"],
  variables: () => ({ first: FIRST, after: "" }),
  title: () => "Your orders",
  cart: (body) => body.cart,
  draw: (view) => {
    const { orders: found } = view.body;
    if (found.total === 0) return none();
    const list = el("ul", { class: "orders" }, found.items.map(row));
    return [el("div", { class: "listed" }, el("h1", {}, "Your orders"), el("p", {}, plural(found.total, "order")), ageOf(view.part("page"))), list, more(view, list)];
  },
  skeleton: () => [el("div", { class: "listed" }, bone("title")), el("ul", { class: "orders" }, Array.from({ length: 5 }, () => el("li", {}, el("span", { class: "order-row" }, el("span", { class: "shot bone" }), bone("wide"), bone("short")))))],
};

function none() {
  return el("section", { class: "panel" }, icon("orders", { size: 20 }), el("h1", {}, "You have not ordered anything yet"), el("p", {}, "Your orders will be listed here."), el("a", { class: "button is-large is-main", href: link("/") }, "Look around"));
}

function row({ id, number, status, placedAt, totals, lines }) {
  const pieces = lines.reduce((sum, line) => sum + line.quantity, 0);
  const [first] = lines;
  const others = lines.length - 1;
  return el(
    "li",
    {},
    el(
      "a",
      { class: "order-row", href: link(`/orders/${id}`) },
      picture(first?.product?.image ?? null, { size: 56 }),
      el("span", { class: "what" }, el("b", {}, first?.title ?? number, others > 0 && ` and ${plural(others, "other product")}`), el("span", {}, `${number} · ${day(placedAt)} · ${plural(pieces, "piece")}`)),
      el("span", { class: `status is-${status}` }, orderStatus(status)),
      el("span", { class: "sum" }, money(totals.total.amount, totals.total.currency)),
    ),
  );
}

function more({ shop, body }, list) {
  const message = reply();
  const count = el("p", { class: "muted" });
  const again = button("Show older orders", { id: "more", onclick: load });
  const show = () => {
    count.textContent = `${body.orders.items.length} of ${body.orders.total}`;
    again.hidden = body.orders.nextCursor === null;
  };

  async function load() {
    again.disabled = true;
    message.say("");
    const answer = await shop.client.graphql(MORE_ORDERS, { first: FIRST, after: body.orders.nextCursor }, { screen: "more", needs: ["orders.items[]"] });
    again.disabled = false;
    if (!answer.ok) {
      message.say(`${problemWords(answer.problem, "older orders").title}. Try again.`, "failed");
      again.focus();
      return;
    }
    const { items, nextCursor } = answer.body.orders;
    body.orders = { ...body.orders, nextCursor, items: [...body.orders.items, ...items] };
    body.isGrown = true;
    const rows = items.map(row);
    list.append(...rows);
    rows[0]?.querySelector("a")?.focus({ preventScroll: true });
    show();
  }

  show();
  return el("div", { class: "more" }, count, again, message.node);
}

export const order = {
  name: "order",
  subject: "this order",
  query: ONE_ORDER,
  needs: ["order.lines[]", "order.totals"],
  optional: ["cart"],
  variables: ({ params }) => ({ id: params.id }),
  title: ({ order: one }) => `Order ${one.number}`,
  cart: (body) => body.cart,
  draw: drawOrder,
  skeleton: () => [el("div", { class: "crumbs" }, bone("short")), bone("title"), el("div", { class: "split" }, el("div", {}, bone("wide"), bone("wide"), bone("wide")), el("div", { class: "box" }, bone("wide"), bone("wide")))],
};

const WAY = ["placed", "paid", "packed", "shipped", "delivered"];

function drawOrder({ body: { order: one }, part }) {
  const { number, status, placedAt, lines, totals } = one;
  return [
    el("nav", { class: "crumbs", "aria-label": "Where this is" }, el("a", { href: link("/orders") }, "Your orders"), icon("next", { size: 10 }), el("span", {}, number)),
    el("div", { class: "listed" }, el("h1", {}, `Order ${number}`), el("p", {}, `Placed on ${day(placedAt)}`), ageOf(part("order"))),
    progress(status),
    el("div", { class: "split" }, el("ul", { class: "lines" }, lines.map(line)), el("div", { class: "side" }, el("section", { class: "box" }, el("h2", {}, "What it cost"), totalsTable(totals)), payment(one, part("payment")))),
  ];
}

function progress(status) {
  const reached = WAY.indexOf(status);
  if (reached < 0) return el("p", { class: "ended" }, icon("missing", { size: 14 }), el("b", {}, orderStatus(status)));
  const step = (name, at) => el("li", { class: at <= reached ? "is-done" : "", "aria-current": at === reached && "step" }, icon(at <= reached ? "ok" : "missing", { size: 14 }), el("span", {}, name === "shipped" && reached > at ? "Shipped" : orderStatus(name)));
  return el("ol", { class: "progress", "aria-label": `Status: ${orderStatus(status)}` }, WAY.map(step));
}

function line({ title, sku, quantity, unitPrice, total, product }) {
  const name = product ? el("a", { class: "name", href: link(`/products/${product.id}?sku=${encodeURIComponent(sku)}`) }, title) : el("span", { class: "name" }, title);
  return el("li", {}, picture(product?.image ?? null, { size: 72 }), el("div", { class: "what" }, name, el("span", {}, `${quantity} × ${money(unitPrice.amount, unitPrice.currency)}`)), el("b", { class: "sum" }, money(total.amount, total.currency)));
}

function payment({ payment: paid }, part) {
  const title = el("h2", {}, "Payment");
  if (!paid && part && part.state !== "ok") return el("section", { class: "box" }, title, missing(part, "The payment is not known at the moment."));
  if (!paid) return el("section", { class: "box" }, title, el("p", { class: "muted" }, "Nothing has been paid yet."));
  const back = paid.refunded.amount > 0 && el("p", { class: "muted" }, `Given back: ${money(paid.refunded.amount, paid.refunded.currency)}`);
  return el("section", { class: "box" }, title, el("p", {}, paymentWords(paid), el("b", {}, ` ${money(paid.amount.amount, paid.amount.currency)}`)), back);
}
