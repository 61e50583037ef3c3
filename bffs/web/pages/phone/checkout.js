// The checkout: what is bought, how it is paid, and what became of it.
import { el, icon, replace } from "../shared/dom.js";
import { ago } from "../shared/format.js";
import { money } from "../shared/money.js";
import { storageOf } from "../shared/saved.js";
import { judge, Purchases } from "./purchase.js";
import { place } from "./place.js";
import { redraw } from "./redraw.js";
import { explanation, Screen } from "./screen.js";
import { count } from "./words.js";

/** Opens the checkout in `node`. */
export function openCheckout(app, node) {
  const purchases = new Purchases(storageOf(app.customer.id, "purchase"), app.customer.id);
  const outcome = el("div", { class: "outcome", role: "status" });
  const sums = el("section", { "aria-label": "What you buy" });
  const ways = el("fieldset", { class: "ways" });
  const bar = el("div", { class: "bar" });
  const form = el("div", { class: "form" }, outcome, sums, ways);
  const chosen = { method: purchases.open()?.method ?? null };
  let isSending = false;
  let isDone = false;

  app.shell.setBar(bar);
  if (purchases.open()?.isUnknown) showUnknown();

  const screen = new Screen(app, node, {
    title: "Checkout",
    load: ({ fresh }) => app.api.get("/v1/checkout", { fresh, needs: ["cart.lines[]", "payment_methods[]"] }),
    draw,
    drawSkeleton: () => redraw(node, "bones", () => [el("span", { class: "bone is-block" }), el("span", { class: "bone is-block" })]),
  });

  function draw(body, parts) {
    if (isDone) return;
    const find = (name) => parts.find((part) => part.name === name);
    app.shell.setCart(body.cart.count);
    if (!body.cart.count && !purchases.open()?.isUnknown) return drawEmpty();
    if (!form.isConnected) node.replaceChildren(form);
    chosen.method ??= (body.payment_methods.find((one) => one.is_default) ?? body.payment_methods[0])?.id ?? null;
    redraw(sums, [body.cart.count, body.totals, find("totals")?.state], () => sumRows(body, find("totals")));
    drawWays(body, find("payment_methods"));
    drawBar();
  }

  function drawEmpty() {
    replace(bar);
    redraw(node, "empty", () => explanation("Your cart is empty.", { label: "Find products", run: () => app.go("/search") }, "cart"));
  }

  function drawWays(body, part) {
    const isFixed = isSending || Boolean(purchases.open()?.isUnknown);
    redraw(ways, [body.payment_methods, part?.state, chosen.method, isFixed], () => [
      el("legend", {}, "Pay with"),
      body.payment_methods.map((one) => way(one, isFixed)),
      !body.payment_methods.length && place(part, "Payment methods", "No payment method is stored"),
    ]);
  }

  function way({ id, label }, isFixed) {
    const choose = () => {
      chosen.method = id;
      drawBar();
    };
    const input = el("input", { id: `way-${id}`, type: "radio", name: "way", value: id, checked: id === chosen.method, disabled: isFixed, onchange: choose });
    return el("label", { class: "way" }, input, el("span", {}, label));
  }

  function drawBar() {
    const total = screen.body?.totals?.total;
    const isUnknown = Boolean(purchases.open()?.isUnknown);
    const label = isUnknown ? "Ask again" : total ? `Buy for ${money(total.amount, total.currency)}` : "Buy";
    const isReady = isUnknown || (chosen.method && total);
    redraw(bar, [label, isReady, isSending], () =>
      el("button", { id: "buy", type: "button", class: "button is-main", "aria-disabled": isReady && !isSending ? null : "true", onclick: buy }, isSending ? "Waiting for the shop …" : label),
    );
  }

  async function buy() {
    const isUnknown = purchases.open()?.isUnknown;
    if (isSending || !(isUnknown || (chosen.method && screen.body?.totals))) return;
    const purchase = purchases.begin(chosen.method, Date.now());
    isSending = true;
    replace(outcome);
    refresh();
    const result = await app.api.send("POST", "/v1/checkout", { payment_method_id: purchase.method }, { key: purchase.key, needs: ["id", "number", "total"] });
    app.report(result.facts);
    const judged = judge(result);
    purchases.settle(purchase, judged);
    isSending = false;
    if (judged.outcome === "bought") return showBought(result.body);
    if (judged.outcome === "unknown") showUnknown();
    else replace(outcome, message("failed", judged));
    outcome.scrollIntoView({ block: "nearest" });
    refresh();
    if (!isUnknown) document.getElementById("buy")?.focus({ preventScroll: true });
  }

  function refresh() {
    if (screen.body) drawWays(screen.body, screen.parts.find(({ name }) => name === "payment_methods"));
    drawBar();
  }

  function showUnknown() {
    const { at } = purchases.open();
    replace(outcome, message("degraded", { ...judge({ ok: false, status: 0 }), since: at }));
    if (!form.isConnected) node.replaceChildren(form);
    queueMicrotask(drawBar);
  }

  function showBought(order) {
    isDone = true;
    screen.close();
    app.remember("/orders"); // going back does not lead to the checkout again
    app.readCart();
    replace(bar);
    replace(
      node,
      el("div", { class: "explanation", role: "status" }, icon("ok", { size: 32, class: "is-ok mark" }),
        el("h2", {}, "Bought"),
        el("p", {}, `Order ${order.number}, ${money(order.total.amount, order.total.currency)}, ${count(order.count, "item")}.`),
        el("a", { class: "button is-touch", href: `#/orders/${order.id}` }, "Show the order"),
        el("a", { class: "button is-touch is-plain", href: "#/" }, "Home")),
    );
  }

  return screen;
}

function message(state, { title, text, since }) {
  const age = since ? el("p", { class: "muted" }, `Sent ${ago(since)}.`) : null;
  return el("div", { class: `notice is-${state}` }, icon(state, { size: 14 }), el("div", {}, el("p", {}, el("b", {}, title)), el("p", {}, text), age));
}

function sumRows({ cart, totals }, part) {
  if (!totals) return place(part, "Total", "The total is not known");
  const sum = (name, value, isLast) => el("div", { class: isLast ? "sum is-total" : "sum" }, el("span", {}, name), el("b", {}, value.amount ? money(value.amount, value.currency) : "free"));
  return [sum(count(cart.count, "item"), totals.subtotal), sum("Shipping", totals.shipping), sum("Total", totals.total, true)];
}
