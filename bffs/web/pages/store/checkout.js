// The checkout: how it is paid, what is bought, and what came of it.
import { el, icon, replace } from "../shared/dom.js";
import { createClient, newKey } from "../shared/client.js";
import { ROOT } from "../shared/config.js";
import { money } from "../shared/money.js";
import { storageOf } from "../shared/saved.js";
import { headersOf } from "../shared/viewer.js";
import { signInChoices } from "./head.js";
import { link } from "./links.js";
import { bone, button, isGone, missing, picture } from "./pieces.js";
import { outcomeOf, Purchase } from "./purchase.js";
import { BUY, CHECKOUT } from "./queries.js";
import { totalsBox } from "./totals.js";
import { plural } from "./words.js";

const TIMEOUT_MS = 30_000; // longer than the gateway's, so that its answer comes first
const KINDS = { card: "Card", paypal: "PayPal", sepa: "Bank account", invoice: "Invoice" };

export const checkout = {
  name: "checkout",
  subject: "the checkout",
  query: CHECKOUT,
  needs: ["cart.lines[]"],
  required: ["home.paymentMethods"],
  title: () => "Checkout",
  cart: (body) => body.cart,
  draw: (view) => {
    const node = el("div", {});
    const { shop } = view;
    const purchase = new Purchase(storageOf(shop.customer.id, "purchase", sessionStorage), newKey);
    const pending = purchase.pending(shop.customer.id);
    const state = { view, node, purchase, buyer: buyerOf(shop), chosen: pending?.method ?? null };
    if (pending?.isOpen) drawOpen(state, pending, outcomeOf({}, { wasOpen: true }));
    else drawForm(state);
    return node;
  },
  skeleton: () => [el("div", { class: "listed" }, bone("title")), el("div", { class: "split" }, el("section", { class: "box" }, bone("wide"), bone("wide"), bone("wide")), el("div", { class: "side" }, el("section", { class: "box" }, bone("wide"), bone("wide"))))],
};

function buyerOf({ customer }) {
  return createClient({ name: "web", origin: ROOT, headers: headersOf("web", customer.id), timeout: TIMEOUT_MS });
}

function drawForm(state, outcome = null) {
  const { cart: found, home } = state.view.body;
  if (found.lines.length === 0) {
    replace(state.node, el("section", { class: "panel" }, icon("cart", { size: 20 }), el("h1", {}, "There is nothing to pay for"), el("p", {}, "Your cart is empty."), el("a", { class: "button is-large is-main", href: link("/") }, "Look around")));
    return;
  }
  const methods = home?.paymentMethods ?? [];
  state.chosen ??= methods[0]?.id ?? null;
  const place = button(placeLabel(found), { kind: "main", id: "place", disabled: !state.chosen, onclick: () => buy(state, methods) });
  place.classList.add("is-wide");
  replace(
    state.node,
    el("div", { class: "listed" }, el("h1", {}, "Checkout")),
    el(
      "div",
      { class: "split" },
      el("div", { class: "steps" }, payments(state, methods), goods(found)),
      el("div", { class: "side" }, totalsBox(found, state.view.part), outcome && answer(state, outcome), place, el("p", { class: "fine" }, "Stock is reserved, then your payment is taken, then the order is placed: all of it, or nothing.")),
    ),
  );
}

function placeLabel({ totals }) {
  return totals ? `Place order for ${money(totals.total.amount, totals.total.currency)}` : "Place order";
}

function payments(state, methods) {
  const { view } = state;
  const title = el("h2", { id: "pay" }, "How you pay");
  const part = view.part("payment_methods");
  if (isGone(methods, part)) return el("section", { class: "box" }, title, missing(part, "Your ways to pay are not available at the moment, so no order can be placed."), button("Try again", { onclick: view.redraw }));
  if (methods.length === 0) return el("section", { class: "box" }, title, el("p", {}, "You have not stored a way to pay."));
  const one = ({ id, kind, label }) =>
    el(
      "label",
      {},
      el("input", { type: "radio", name: "method", id: `method-${id}`, value: id, checked: id === state.chosen, onchange: () => (state.chosen = id) }),
      el("span", {}, el("b", {}, label), el("span", {}, KINDS[kind] ?? kind)),
    );
  return el("section", { class: "box" }, title, el("div", { class: "methods", role: "radiogroup", "aria-labelledby": "pay" }, methods.map(one)));
}

function goods({ lines, count }) {
  const one = (line) => {
    const { quantity, product, unitPrice, sku, variant } = line;
    return el("li", {}, picture(line.image, { size: 56 }), el("div", { class: "what" }, el("span", { class: "name" }, product?.title ?? `Item ${sku}`), el("span", {}, `${quantity} × ${variant ?? sku}`)), unitPrice && el("b", { class: "sum" }, money(unitPrice.amount * quantity, unitPrice.currency)));
  };
  return el("section", { class: "box" }, el("div", { class: "heading" }, el("h2", {}, "What you buy"), el("a", { href: link("/cart") }, "Change")), el("ul", { class: "lines is-small" }, lines.map(one)), el("p", { class: "fine" }, plural(count, "item")));
}

// What went wrong, beside the button that was pressed; the choice is as it was.
function answer(state, { kind, title, text }) {
  const actions = {
    gone: () => el("a", { class: "button", href: link("/cart") }, "Change the cart"),
    changed: () => el("a", { class: "button", href: link("/orders") }, "Your orders"),
    signedOut: () => signInChoices(state.view.shop),
    forbidden: () => signInChoices(state.view.shop),
  };
  return el("div", { class: "notice is-failed is-block", role: "alert" }, icon("failed", { size: 16 }), el("div", {}, el("p", {}, el("b", {}, title)), el("p", {}, text), actions[kind]?.()));
}

async function buy(state, methods) {
  const { id, label } = methods.find((one) => one.id === state.chosen);
  await send(state, state.purchase.begin({ customer: state.view.shop.customer.id, method: id, label }));
}

async function send(state, pending, { wasOpen = false } = {}) {
  const { shop } = state.view;
  const pressed = state.node.querySelector("#place, #check");
  pressed.disabled = true;
  pressed.textContent = pressed.id === "check" ? "Checking …" : "Placing your order …";
  state.node.setAttribute("aria-busy", "true");
  shop.hold(true); // until the visitor goes on: what came of it stays in sight
  const received = await state.buyer.graphql(BUY, { method: pending.method }, { key: pending.key, needs: ["checkout.number", "checkout.lines[]", "checkout.totals.total"] });
  state.node.setAttribute("aria-busy", "false");
  const outcome = outcomeOf(received, { label: pending.label, wasOpen });
  state.purchase.settle(pending, outcome);
  if (!state.node.isConnected) return;
  shop.announce(`${outcome.title}. ${outcome.text}`);
  if (outcome.kind === "bought") drawBought(state, outcome);
  else if (outcome.kind === "unknown") drawOpen(state, pending, outcome);
  else drawForm(state, outcome);
  (state.node.querySelector("#place, #check") ?? state.node.querySelector("h1")).focus({ preventScroll: outcome.kind !== "bought" });
}

function drawBought({ node, view }, { title, order }) {
  const { number, id, totals, lines } = order;
  const pieces = lines.reduce((sum, line) => sum + line.quantity, 0);
  document.title = `Order ${number} · shop`;
  replace(
    node,
    el(
      "section",
      { class: "panel is-done" },
      icon("ok", { size: 28, class: "c-ok" }),
      el("h1", { tabindex: "-1" }, title),
      el("p", {}, "Order ", el("b", { id: "order-number" }, number), ` · ${plural(pieces, "item")} · ${money(totals.total.amount, totals.total.currency)}`),
      el("p", {}, "It is paid, and the goods are reserved for you."),
      el("div", { class: "row" }, el("a", { class: "button is-large is-main", href: link(`/orders/${id}`) }, "See the order"), el("a", { class: "button is-large", href: link("/") }, "Go on shopping")),
    ),
  );
  scrollTo(0, 0);
  view.shop.readCart();
}

// Only the purchase that is open can be sent again: with its key, and with the way to pay that it was begun with.
function drawOpen(state, pending, { title, text, needsSignIn }) {
  replace(
    state.node,
    el(
      "section",
      { class: "panel is-open", role: "alert" },
      icon("stale", { size: 28 }),
      el("h1", { tabindex: "-1" }, title),
      el("p", {}, text),
      pending.label && el("p", { class: "fine" }, `It was to be paid by ${pending.label}.`),
      needsSignIn && signInChoices(state.view.shop),
      el("div", { class: "row" }, button("Check again", { kind: "main", id: "check", onclick: () => send(state, pending, { wasOpen: true }) }), el("a", { class: "button is-large", href: link("/orders") }, "Your orders")),
    ),
  );
}
