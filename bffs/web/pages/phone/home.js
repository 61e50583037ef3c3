// Home: who you are, what is on its way, what may please. Parts show as they come.
import { el, icon } from "../shared/dom.js";
import { card, cardBones, row, rowBones } from "./cards.js";
import { gap, place } from "./place.js";
import { redraw } from "./redraw.js";
import { Screen } from "./screen.js";
import { isGone, sentence } from "./words.js";

/** Opens the home screen in `node`. */
export function openHome(app, node) {
  const order = el("div", { class: "slot" });
  const deals = el("div", { class: "slot is-cards" });
  const picks = el("div", { class: "slot is-rows" });
  const content = [
    el("section", { "aria-label": "Latest order" }, order),
    el("section", { "aria-labelledby": "deals" }, el("h2", { id: "deals" }, "Deals"), deals),
    el("section", { "aria-labelledby": "picks" }, el("h2", { id: "picks" }, "For you"), picks),
  ];

  function draw(body, parts, isWhole) {
    if (!content[0].isConnected) node.replaceChildren(...content);
    const find = (name) => parts.find((part) => part.name === name);
    if (body.name !== undefined) app.shell.greet(body);
    if (body.cart_count !== undefined) app.shell.setCart(body.cart_count, find("cart"));
    if (body.orders !== undefined) redraw(order, [body.orders[0], find("orders")?.state], () => latest(body.orders[0], find("orders")));
    else drawOrderBone();
    const shelf = worst(find("summary"), find("price"));
    drawProducts(deals, isWhole && body.deals, "Deals", find("deals"), shelf, (list) => scroller(list.map(card)));
    drawProducts(picks, isWhole && body.picks, "Recommendations", find("picks"), shelf, (list) => el("ul", { class: "rows" }, list.map(row)));
  }

  function drawSkeleton() {
    node.replaceChildren(...content);
    drawOrderBone();
    redraw(deals, "bones", dealBones);
    redraw(picks, "bones", pickBones);
  }

  const drawOrderBone = () => redraw(order, "bone", () => el("span", { class: "bone is-pill" }));

  function drawProducts(slot, list, label, part, shelf, drawn) {
    if (!list) return redraw(slot, "bones", slot === deals ? dealBones : pickBones);
    const bad = [part, shelf].find((one) => isGone(one));
    redraw(slot, [list, list.length ? null : bad], () => (list.length ? drawn(list) : place(bad, label, `${label}: none at the moment`)));
  }

  return new Screen(app, node, { title: "Home", saves: "home", load: app.loadHome, draw, drawSkeleton });
}

const worst = (...parts) => parts.find((part) => isGone(part));
const scroller = (cards) => el("ul", { class: "scroller" }, cards);
const dealBones = () => el("ul", { class: "scroller", "aria-hidden": "true" }, cardBones(3));
const pickBones = () => el("ul", { class: "rows", "aria-hidden": "true" }, rowBones(3));

function latest(order, part) {
  if (!order) return el("p", { class: "pill" }, (isGone(part) && gap(part, "Orders")) || "No orders yet");
  const text = el("span", {}, el("b", {}, order.number), ` ${sentence(order.status).toLowerCase()}`, part?.state === "stale" && el("span", { class: "second" }, gap(part)));
  return el("a", { class: "pill", href: `#/orders/${order.id}` }, icon("orders"), text, icon("next", { class: "end" }));
}
