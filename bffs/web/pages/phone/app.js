// The phone app: a client of the mobile gateway, which is another origin; it holds a token in memory.
import { isObject } from "../shared/answer.js";
import { createClient } from "../shared/client.js";
import { loadConfig, missingAddress } from "../shared/config.js";
import { el, replace } from "../shared/dom.js";
import { noFacts } from "../shared/facts.js";
import { isFramed, onRefresh, report } from "../shared/frame.js";
import { createRouter } from "../shared/router.js";
import { savedScreens } from "../shared/saved.js";
import { headersOf, loadViewer, onViewerChange, signIn, signInAddress, signOut } from "../shared/viewer.js";
import { openCart } from "./cart.js";
import { openCheckout } from "./checkout.js";
import { openHome } from "./home.js";
import { openOrder, openOrders } from "./orders.js";
import { openProduct } from "./product.js";
import { readProgressively } from "./progressive.js";
import { explanation } from "./screen.js";
import { openSearch } from "./search.js";
import { Shell } from "./shell.js";
import { openSignIn, openYou } from "./you.js";

const CLIENT = "phone";
const WIDTHS = [320, 640, 960, 1280];

class App {
  constructor(config, customer, problem) {
    Object.assign(this, { config, customer, problem, report, isFramed });
    this.shell = new Shell(document.getElementById("phone"), () => this.back());
    this.saved = savedScreens(CLIENT, customer?.id ?? "");
    this.width = WIDTHS.find((width) => width >= innerWidth * devicePixelRatio) ?? WIDTHS.at(-1);
    this.shell.setCart(this.saved.get("home")?.value.body.cart_count ?? undefined);
    this.loadHome = (options) => this.#loadHome(options);
    this.scrolls = new Map();
    this.trail = [];
    this.#connect();
  }

  #connect() {
    this.api = createClient({ name: CLIENT, origin: this.config.mobile, headers: (this.headers = headersOf("mobile", this.customer?.id)) });
  }

  /** Loads the home screen part by part; whole in a frame, where the start page shows what it took. */
  #loadHome({ fresh, onPart }) {
    const path = `/v1/home?width=${this.width}`;
    const needs = ["name", "deals[]", "picks[]", "orders[]"];
    if (isFramed) return this.api.get(path, { fresh, needs });
    return readProgressively({ client: CLIENT, origin: this.config.mobile, path, headers: this.headers, fresh, onPart, needs });
  }

  start() {
    const open = (screen, opener) => (address) => this.#open(screen, opener, address);
    const home = { title: "Home", tab: "home" };
    const search = { title: "Search", tab: "search" };
    const orders = { title: "Orders", tab: "orders" };
    const you = { title: "You", tab: "user" };
    const inner = { isInner: true };
    this.router = createRouter({
      routes: [
        ["/", open(home, openHome)],
        ["/search", open({ ...search, isOpen: true }, (app, node, { query }) => openSearch(app, node, query))],
        ["/product/:id", open({ ...search, ...inner, title: "Product", isOpen: true }, (app, node, { params }) => openProduct(app, node, params.id))],
        ["/cart", open({ ...inner, title: "Cart" }, openCart)],
        ["/checkout", open({ ...inner, title: "Checkout" }, openCheckout)],
        ["/orders", open(orders, openOrders)],
        ["/orders/:id", open({ ...orders, ...inner, title: "Order" }, (app, node, { params }) => openOrder(app, node, params.id))],
        ["/you", open(you, openYou)],
      ],
      missing: open({ ...inner, title: "No such page", isOpen: true }, openMissing),
    });
    this.router.start();
    onRefresh(() => this.#refresh());
    onViewerChange(() => location.reload());
    addEventListener("online", () => this.screen?.retry?.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.screen?.retry?.hurry());
  }

  #open(screen, opener, address) {
    if (this.address) this.scrolls.set(this.address, this.shell.main.scrollTop);
    this.screen?.close();
    this.screen = null;
    const isFirst = !this.address;
    this.address = location.hash || "#/";
    this.#follow(this.address);
    if (!this.customer && !screen.isOpen) {
      openSignIn(this, this.shell.begin({ ...screen, isInner: false }), this.problem);
      return;
    }
    const node = this.shell.begin(screen);
    this.screen = opener(this, node, address);
    this.screen.open();
    this.shell.main.scrollTop = this.scrolls.get(this.address) ?? 0;
    if (!isFirst) this.shell.title.focus({ preventScroll: true });
  }

  // Only the home screen and the cart bring the number of the cart with them.
  #refresh() {
    if (!this.screen?.retry?.isHeld) this.screen?.refresh({ fresh: true });
    if (this.customer && !["#/", "#/cart"].includes(this.address)) this.readCart();
  }

  #follow(address) {
    if (this.trail.at(-2) === address) this.trail.pop();
    else if (this.trail.at(-1) !== address) this.trail.push(address);
  }

  go(path) {
    this.router.go(path);
  }

  /** Goes to the screen before this one, or else home: never to a page before this app. */
  back() {
    if (this.trail.length > 1) history.back();
    else this.go("/");
  }

  /** Changes the address without opening a screen: what was searched for. */
  remember(path) {
    history.replaceState(null, "", `#${path}`);
    this.address = location.hash;
    this.trail[this.trail.length - 1] = this.address;
  }

  /** Returns the kinds of products, loaded once; null if they are not available. */
  async loadCategories() {
    this.categories ??= (await this.api.get("/v1/categories", { screen: null, needs: ["items[]"] })).body?.items.filter(isObject) ?? null;
    return this.categories;
  }

  /** Sets one more of a variant into the cart; `attempt` is the same object for each try of it. */
  async addToCart(sku, attempt) {
    if (!attempt.quantity) {
      const cart = await this.api.get("/v1/cart", { screen: null, needs: ["lines[]"] });
      if (!cart.ok) return cart;
      attempt.quantity = (cart.body.lines.find((line) => line.sku === sku)?.quantity ?? 0) + 1;
    }
    const body = { quantity: attempt.quantity };
    const result = await this.api.send("PUT", `/v1/cart/items/${encodeURIComponent(sku)}`, body, { key: attempt.key, needs: ["count"] });
    report(result.facts);
    if (result.ok) this.shell.setCart(result.body.count);
    return result;
  }

  /** Shows how much the cart holds, apart from any screen: after a purchase, or with the start page. */
  async readCart() {
    const { ok, body } = await this.api.get("/v1/cart", { fresh: isFramed, screen: "number of the cart", needs: ["count"] });
    this.shell.setCart(ok ? body.count : null);
  }

  /** Signs a customer in; a page in a frame does it in the whole window. */
  async signIn(id) {
    if (isFramed && this.config.auth !== "demo") parent.location.href = signInAddress(id);
    else await signIn(id);
  }

  async signOut() {
    const next = await signOut();
    if (this.config.auth === "demo") location.reload();
    else (isFramed ? parent : window).location.href = next;
  }

  /** The gateway no longer takes the token: one try with a new one, then the sign-in. */
  expire() {
    if (this.hasExpired) {
      this.customer = null;
      this.problem = "The shop no longer accepts this sign-in";
      this.router.again();
      return;
    }
    this.hasExpired = true;
    this.#connect();
    this.screen?.refresh();
  }
}

/** Opens what an address without a page shows. */
function openMissing(app, node) {
  node.append(explanation("There is no such page.", { label: "Home", run: () => app.go("/") }, "missing"));
  return { open() {}, close() {}, refresh() {} };
}

async function start() {
  const root = document.getElementById("phone");
  const began = performance.now();
  const reportFailure = (route = "/bff/user") => report(noFacts({ client: CLIENT, route, ms: performance.now() - began, state: "failed" }));
  const fail = (sentence, action) => {
    reportFailure("/shop.json");
    replace(root, el("main", {}, explanation(sentence, action, "failed")));
  };
  try {
    const config = await loadConfig();
    const missing = missingAddress(config, "mobile");
    if (missing) return fail(missing, null);
    const { customer, problem } = await loadViewer();
    if (problem && !customer) reportFailure();
    new App(config, customer, problem).start();
  } catch (error) {
    console.warn(error);
    fail(`The phone app could not be started: ${error.message}.`, { label: "Try again", run: start });
  }
}

start();
