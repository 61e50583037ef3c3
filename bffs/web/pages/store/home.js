// The home page: greeting, the order that is on its way, deals, and what the customer may like.
import { el, icon } from "../shared/dom.js";
import { money } from "../shared/money.js";
import { signInChoices } from "./head.js";
import { DEPARTMENTS, link } from "./links.js";
import { bone, card, emptyShelf, heading, isGone, missing, picture, shelf } from "./pieces.js";
import { HOME, WELCOME } from "./queries.js";
import { loyaltyWords, orderStatus } from "./words.js";

const DEALS = 4;
const PICKS = 8;
const ON_THE_WAY = new Set(["placed", "paid", "packed", "shipped"]);

export const home = {
  name: "home",
  subject: "the home page",
  query: (isSignedIn) => (isSignedIn ? HOME : WELCOME),
  variables: (_route, isSignedIn) => (isSignedIn ? { deals: DEALS, picks: PICKS } : { first: 8 }),
  required: ["home.viewer"],
  optional: ["categories"],
  isPartly: (body) => Boolean(body?.home),
  title: () => "Home",
  cart: (body) => body.home?.cart,
  draw: (view) => (view.shop.customer ? drawMine(view) : drawWelcome(view)),
  skeleton: () => [
    el("div", { class: "hello" }, el("div", {}, bone("title"), bone("wide")), el("span", { class: "ship" })),
    heading("Deals"),
    emptyShelf(DEALS),
    heading("You may like"),
    emptyShelf(4),
  ],
};

function drawMine({ body: { home: mine }, part }) {
  const { viewer, orders, deals, picks } = mine;
  return [
    el("div", { class: "hello" }, greeting(viewer), latest(orders, part("orders"))),
    heading("Deals", part("deals")),
    isGone(deals, part("deals"))
      ? missing(part("deals"), "Deals are not available at the moment.", { class: "is-shelf" })
      : shelf(deals.map((deal) => card(deal.product, { deal, eager: true }))),
    heading("You may like", part("picks")),
    isGone(picks, part("picks"))
      ? missing(part("picks"), "Recommendations are not available at the moment.", { class: "is-shelf" })
      : shelf(picks.map((pick) => card(pick.product))),
  ];
}

function greeting(viewer) {
  if (!viewer) return el("div", {}, el("h1", {}, "Welcome back"), el("p", {}, "Your profile is not shown to this sign-in."));
  return el("div", {}, el("h1", {}, `Welcome back, ${viewer.givenName}`), el("p", {}, loyaltyWords(viewer.loyalty)));
}

// It has the height of a line in every state.
function latest(orders, part) {
  if (isGone(orders, part)) return el("p", { class: "ship is-missing" }, icon("missing", { size: 12 }), "Your orders are not available at the moment.");
  const [order] = orders;
  if (!order) return el("p", { class: "ship is-none" }, "You have not ordered anything yet.");
  const { number, status, totals, id } = order;
  const words = ON_THE_WAY.has(status) ? (status === "shipped" ? "is on its way" : `is ${orderStatus(status).toLowerCase()}`) : `was ${orderStatus(status).toLowerCase()}`;
  return el(
    "a",
    { class: "ship", href: link(`/orders/${id}`) },
    icon(part?.state === "stale" ? "stale" : "ok", { size: 12, class: part?.state === "stale" ? "c-stale" : "c-ok" }),
    el("span", {}, "Order ", el("b", {}, number), ` ${words}`, el("span", { class: "ship-sum" }, ` · ${money(totals.total.amount, totals.total.currency)}`)),
  );
}

function drawWelcome({ body, shop }) {
  const { items } = body.products;
  const departments = body.categories ?? DEPARTMENTS;
  return [
    el("section", { class: "welcome" }, el("div", {}, el("h1", {}, "Good things for outside and for home"), el("p", {}, "Look around without signing in. Signed in, you see your deals, your cart and your orders.")), el("div", { class: "enter" }, signInChoices(shop))),
    el("nav", { class: "tiles", "aria-label": "Shop by department" }, departments.map(({ id, name, image }) => el("a", { href: link(`/categories/${id}`) }, image && picture(image, { size: 160 }), el("span", {}, name)))),
    heading("Popular now"),
    shelf(items.map((product) => card(product))),
  ];
}
