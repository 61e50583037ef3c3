// Orders: all of them, newest first, and the page of one.
import { el, icon, replace } from "../shared/dom.js";
import { day } from "../shared/format.js";
import { money } from "../shared/money.js";
import { picture } from "./cards.js";
import { gap } from "./place.js";
import { redraw } from "./redraw.js";
import { explanation, Screen } from "./screen.js";
import { count, sentence } from "./words.js";

const PAGE = 20;

/** Opens the list of orders in `node`. */
export function openOrders(app, node) {
  let items = [];
  let next = null;
  const found = el("p", { class: "found" });
  const list = el("ul", { class: "orders" });
  const more = el("div", { class: "more" });

  const screen = new Screen(app, node, {
    title: "Orders",
    lister: "orders",
    saves: "orders",
    load: ({ fresh }) => app.api.get(`/v1/orders?limit=${PAGE}`, { fresh, needs: ["items[]", "total"] }),
    draw,
    drawSkeleton: () => redraw(node, "bones", () => el("ul", { class: "orders", "aria-hidden": "true" }, Array.from({ length: 6 }, () => el("li", {}, el("span", { class: "bone is-two" }))))),
  });

  function draw(body) {
    if (!body.items.length) {
      return redraw(node, "empty", () => explanation("No orders yet. What you buy will be listed here.", null, "orders"));
    }
    if (!list.isConnected) node.replaceChildren(found, list, more);
    found.textContent = count(body.total, "order");
    if (items.length > body.items.length && body.items.every(({ id, status }, at) => id === items[at].id && status === items[at].status)) return;
    items = body.items;
    next = body.next;
    redraw(list, items, () => items.map(orderRow));
    drawMore();
  }

  function drawMore(problem) {
    const button = next && el("button", { id: "more", type: "button", class: "button is-wide", onclick: showMore }, "Show more");
    replace(more, problem && el("p", { class: "wrong" }, "More could not be loaded."), button);
  }

  async function showMore() {
    const result = await app.api.get(`/v1/orders?limit=${PAGE}&cursor=${encodeURIComponent(next)}`, { needs: ["items[]"] });
    app.report(result.facts);
    if (!result.ok) return drawMore(result.problem);
    const first = items.length;
    items = [...items, ...result.body.items];
    next = result.body.next;
    list.append(...result.body.items.map(orderRow));
    drawMore();
    list.children[first]?.firstElementChild.focus({ preventScroll: true });
  }

  return screen;
}

function orderRow(order) {
  const about = `${day(order.placed_at)} · ${count(order.count, "item")}`;
  return el("li", {},
    el("a", { class: "order", href: `#/orders/${encodeURIComponent(order.id)}` },
      el("span", { class: "row-text" }, el("b", {}, sentence(order.status)), el("span", { class: "muted" }, about), el("span", { class: "muted" }, order.number)),
      el("b", { class: "end" }, money(order.total.amount, order.total.currency)), icon("next")));
}

/** Opens the page of one order in `node`. */
export function openOrder(app, node, id) {
  const head = el("div", { class: "order-head" });
  const lines = el("ul", { class: "lines" });
  const sums = el("div", {});

  return new Screen(app, node, {
    title: "The order",
    lister: "orders",
    saves: `order ${id}`,
    load: ({ fresh }) => app.api.get(`/v1/orders/${encodeURIComponent(id)}?width=${app.width}`, { fresh, needs: ["order", "lines[]", "shipping"] }),
    draw,
    drawSkeleton: () => redraw(node, "bones", () => [el("span", { class: "bone is-pill" }), el("span", { class: "bone is-block" })]),
  });

  function draw(body, parts) {
    const find = (name) => parts.find((part) => part.name === name);
    if (!head.isConnected) node.replaceChildren(head, lines, sums);
    app.shell.setTitle(`Order ${body.order.number}`);
    redraw(head, [body.order, find("order")?.state], () => [
      el("p", {}, el("b", {}, sentence(body.order.status))),
      el("p", { class: "muted" }, `Placed ${day(body.order.placed_at)}`),
      gap(find("order")),
    ]);
    redraw(lines, body.lines, () => body.lines.map(orderLine));
    redraw(sums, [body.shipping, body.paid_with, body.order.total, find("payment")?.state], () => [
      sum("Shipping", body.shipping.amount ? amount(body.shipping) : "free"),
      sum("Total", amount(body.order.total), "sum is-total"),
      sum("Paid with", body.paid_with ?? gap(find("payment"), "payment") ?? "not paid yet"),
    ]);
  }
}

const amount = (value) => money(value.amount, value.currency);
const sum = (name, value, classes = "sum") => el("div", { class: classes }, el("span", {}, name), el("b", {}, value));

function orderLine({ title, image, quantity, total }) {
  return el("li", { class: "line is-ordered" },
    el("div", { class: "line-info" }, picture(image, { size: 64 }), el("span", { class: "row-text" }, el("span", { class: "row-title" }, title), el("span", { class: "muted" }, `${quantity} ×`))),
    el("b", { class: "end" }, amount(total)));
}
