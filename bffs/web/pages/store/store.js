// The web shop: pages below /store/, each made of one GraphQL request with the browser's session.
import { createClient } from "../shared/client.js";
import { loadConfig, ROOT } from "../shared/config.js";
import { el, icon, replace } from "../shared/dom.js";
import { noFacts } from "../shared/facts.js";
import { onRefresh, report } from "../shared/frame.js";
import { createRouter } from "../shared/router.js";
import { headersOf, loadViewer, onViewerChange, sayRefusal } from "../shared/viewer.js";
import { cart } from "./cart.js";
import { checkout } from "./checkout.js";
import { drawFoot, drawHead } from "./head.js";
import { home } from "./home.js";
import { BASE, link } from "./links.js";
import { category, search } from "./list.js";
import { order, orders } from "./orders.js";
import { product } from "./product.js";
import { button } from "./pieces.js";
import { CART_CONTENT } from "./queries.js";
import { Screen } from "./screen.js";
import { signInPage, unknownPage } from "./signin.js";

const at = (id) => document.getElementById(id);

async function open() {
  const config = await loadConfig();
  const viewer = await loadViewer();
  const { customer } = viewer;
  const client = createClient({ name: "web", origin: ROOT, headers: headersOf("web", customer?.id) });
  const shop = { config, client, customer, viewer, cart: { count: null, lines: null, isKnown: true } };
  const screen = new Screen(shop, at("main"));
  let isBack = false;
  let isFirst = true;

  const show = (page) => ({ params, query, path }) => {
    const route = { params, query, path, key: `${path}?${query}`, isNew: !isFirst && !isBack };
    const options = { isBack };
    isBack = isFirst = false;
    head(route);
    return screen.show(page, route, options);
  };
  const router = createRouter({
    base: BASE,
    routes: [
      ["/", show(home)],
      ["/products/:id", show(product)],
      ["/search", show(search)],
      ["/categories/:id", show(category)],
      ["/cart", show(cart)],
      ["/checkout", show(checkout)],
      ["/orders", show(orders)],
      ["/orders/:id", show(order)],
      ["/sign-in", show(signInPage)],
    ],
    missing: show(unknownPage),
  });

  function head(route) {
    shop.route = route;
    const category = route.path.startsWith("/categories/") ? route.params.id : null;
    drawHead(at("head"), { shop, path: route.path, search: route.query.get("q"), category });
  }

  shop.go = (path, options) => router.go(path, options);
  shop.announce = (text) => (at("announce").textContent = text);
  shop.say = (text, state) => notice(text, state);
  shop.reload = () => screen.refresh();
  shop.readCart = async () => {
    const answer = await client.graphql(CART_CONTENT, {}, { fresh: true, screen: "cart" });
    if (answer.ok) shop.setCart(answer.body.cart);
  };
  // While a purchase is under way, and when it is said what came of it, only the number of the cart is loaded again.
  const again = () => (screen.isHeld ? shop.readCart() : screen.refresh());
  shop.hold = (isHeld) => (screen.isHeld = isHeld);
  shop.setCart = (found, part) => {
    shop.cart = { count: found?.count ?? null, lines: found?.lines ?? null, part, isKnown: Boolean(found) };
    head(shop.route);
  };

  history.scrollRestoration = "manual";
  addEventListener("popstate", () => (isBack = true));
  addEventListener("scroll", () => screen.here && screen.scrolls.set(screen.here.route.key, scrollY), { passive: true });
  document.addEventListener("click", (event) => followed(event, screen), { capture: true });
  onViewerChange(() => location.reload());
  drawFoot(at("foot"), { shop });
  if (viewer.problem) notice(`Sign-in is not available: ${viewer.problem}.`, "failed", button("Try again", { id: "sign-in-again", onclick: () => location.reload() }));
  if (sayRefusal() && !customer) notice(sayRefusal(), "failed");
  await router.start();
  onRefresh(() => again());
  addEventListener("online", () => again());
}

// Which link left a page: the way back puts the focus there.
function followed(event, screen) {
  const anchor = event.target.closest?.("#main a[href]");
  if (anchor && screen.here) screen.links.set(screen.here.route.key, anchor.getAttribute("href"));
}

function notice(text, state = "ok", action = null) {
  const node = at("notice");
  node.hidden = !text;
  node.className = `notice is-${state} is-top`;
  replace(node, icon(state, { size: 14 }), el("span", {}, text), action);
}

open().catch((error) => {
  console.warn(error);
  report(noFacts({ client: "web", route: "/shop.json", ms: performance.now(), state: "failed" }));
  at("main").setAttribute("aria-busy", "false");
  replace(at("main"), el("section", { class: "panel" }, el("h1", {}, "The shop can't be opened"), el("p", {}, `${error.message}.`), el("div", { class: "row" }, button("Try again", { kind: "main", id: "retry", onclick: () => location.reload() }), el("a", { class: "button is-large", href: link("/") }, "Go to the home page"))));
});
