// The back office: the shell around its views, and what they share.

import { createClient } from "../shared/client.js";
import { loadConfig, missingAddress } from "../shared/config.js";
import { el, icon, replace } from "../shared/dom.js";
import { noFacts } from "../shared/facts.js";
import { isFramed, onRefresh, report } from "../shared/frame.js";
import { createRouter } from "../shared/router.js";
import { savedScreens, storageOf } from "../shared/saved.js";
import { headersOf, loadViewer, onViewerChange, signIn, signOut } from "../shared/viewer.js";
import { cartView } from "./cart-view.js";
import { exportView } from "./export-view.js";
import { homeView } from "./home-view.js";
import { ordersView } from "./orders-view.js";
import { PriceEdits } from "./price-edits.js";
import { productsView } from "./products-view.js";
import { statusBar } from "./status-bar.js";

const STAFF = "9"; // with BFF_AUTH=demo no token says who has the scope prices:write
const CLIENT = "office";
const PATIENCE_MS = 1_500;
const BESIDE = matchMedia("(min-width: 1000px)"); // there is room for a detail beside its list

const LINKS = [
  ["/", "Home", "home"],
  ["/orders", "Orders", "orders"],
  ["/products", "Prices", "products"],
  ["/cart", "Cart", "cart"],
  ["/export", "Export", "export"],
];

async function start() {
  document.documentElement.classList.toggle("is-framed", isFramed);
  const root = document.getElementById("app");
  const began = performance.now();
  const fail = (sentence) => {
    report(noFacts({ client: CLIENT, route: "/shop.json", ms: performance.now() - began, state: "failed" }));
    replace(root, frame(null, el("main", { id: "main", class: "signed-out" }, message("The back office could not be started.", sentence, "Try again", () => location.reload()))));
  };
  let config;
  let viewer;
  try {
    config = await loadConfig();
    const missing = missingAddress(config, "desktop");
    if (missing) return fail(missing);
    viewer = await loadViewer();
  } catch (error) {
    return fail(`${error.message ?? error}.`);
  }
  onViewerChange(() => location.reload());
  if (!viewer.customer) return replace(root, frame(null, chooser(config, viewer.problem)));
  await runApp(root, config, viewer.customer);
}

async function runApp(root, config, customer) {
  const headers = headersOf("desktop", customer.id);
  // No token: the first request says so, with Try again. One that takes long is not waited for here.
  const token = headers().catch(() => null);
  await Promise.race([token, new Promise((done) => setTimeout(done, PATIENCE_MS))]);
  const client = createClient({ name: CLIENT, origin: config.desktop, headers });
  const bar = statusBar({ onReload: () => view?.refresh({ fresh: true }) });
  const main = el("main", { id: "main", tabindex: "-1" });
  let view = null;

  const app = {
    client,
    customer,
    headers,
    origin: config.desktop,
    storage: (kind) => storageOf(customer.id, kind),
    screens: savedScreens("office", customer.id),
    isFresh: isFramed, // in the frame a service that was stopped is missing at once
    isWide: () => BESIDE.matches,
    staff: config.customers.find(({ id }) => id === STAFF) ?? null,
    mayChangePrices: headers.scopes?.has("prices:write") ?? customer.id === STAFF,
    go: (path, options) => router.go(path, options),
    report: (facts) => [report(facts), bar.show(facts)],
    get: (path, options) => received(client.get(path, options), { isRead: true }),
    send: (method, path, body, options) => received(client.send(method, path, body, options)),
    onSignedOut: () => view?.refresh({ fresh: false }), // the screen then says how to sign in
    onForbidden: () => view?.priceRightsChanged?.(),
  };
  token.then(() => {
    if (!headers.scopes || app.mayChangePrices === headers.scopes.has("prices:write")) return;
    app.mayChangePrices = headers.scopes.has("prices:write");
    view?.priceRightsChanged?.();
  });
  app.edits = new PriceEdits(app.storage("prices"), "office");

  async function received(exchange, { isRead = false } = {}) {
    const reply = await exchange;
    bar.show(reply.facts);
    if (isRead) report(reply.facts); // the start page shows what a screen is made of
    return reply;
  }

  const views = { home: homeView, orders: ordersView, products: productsView, cart: cartView, export: exportView };
  const route = (name) => (address) => open(name, address);
  const router = createRouter({
    routes: [
      ["/", route("home")],
      ["/orders", route("orders")],
      ["/orders/:id", route("orders")],
      ["/products", route("products")],
      ["/products/:id", route("products")],
      ["/cart", route("cart")],
      ["/export", route("export")],
    ],
    missing: () => {
      leave();
      replace(main, el("div", { class: "signed-out" }, message("There is no such page.", "", "Home", () => router.go("/"))));
    },
  });

  function leave() {
    view?.leave();
    client.cancel();
    view = null;
  }

  // A view stays while addresses of its own are opened, so that its list is not loaded again.
  function open(name, address) {
    if (view?.name !== name) {
      leave();
      view = { ...views[name](app), name };
      replace(main, view.node);
      main.scrollTop = 0;
    }
    document.title = `${view.title} · Back office`;
    for (const link of nav.querySelectorAll("a")) {
      if (link.dataset.view === name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    view.show(address);
  }

  const nav = el("nav", { "aria-label": "Back office" }, LINKS.map(([path, text, name]) => el("a", { href: `#${path}`, "data-view": name }, text)));
  replace(root, frame(nav, main, bar.node, customer, config));
  router.start();
  onRefresh(() => view?.refresh({ fresh: true }));
  addEventListener("online", () => view?.refresh({ fresh: false }));
  document.addEventListener("keydown", (event) => shortcuts(event, () => view?.refresh({ fresh: true })));
}

function frame(nav, main, foot = null, customer = null, config = null) {
  return [
    el("a", { class: "skip", href: "#main", onclick: (event) => [event.preventDefault(), document.getElementById("main")?.focus()] }, "Skip to the content"),
    el(
      "header",
      { class: "title-bar" },
      el("span", { class: "app-name" }, icon("desktop", { size: 14 }), "Back office"),
      nav ?? el("span", { class: "grow" }),
      customer && !isFramed && who(customer, config),
    ),
    main,
    !isFramed && foot,
  ];
}

function who(customer, config) {
  const known = config.customers.some(({ id }) => id === customer.id) ? config.customers : [...config.customers, customer];
  const choices = known.map(({ id, name }) => el("option", { value: id, selected: id === customer.id }, `${name} (${id})`));
  const select = el("select", { id: "customer", "aria-label": "Signed in as", onchange: ({ target }) => signIn(target.value) }, choices);
  const leave = ({ target }) =>
    signOut().then(
      (next) => (location.href = next),
      ({ message: why }) => target.replaceWith(el("span", { role: "alert" }, why)),
    );
  return el("span", { class: "who" }, config.auth === "demo" ? select : el("span", {}, customer.name), el("button", { type: "button", class: "link", onclick: leave }, "Sign out"));
}

// Signed out: one button for each demo customer.
function chooser({ customers }, problem) {
  const buttons = customers.map(({ id, name, note }) =>
    el("li", {}, el("button", { type: "button", class: "button", onclick: () => signIn(id) }, el("b", {}, name), el("span", { class: "muted" }, note ?? `customer ${id}`))),
  );
  return el(
    "main",
    { id: "main", class: "signed-out" },
    el("h1", {}, "Back office"),
    el("p", {}, isFramed ? "You are signed out. Choose a customer on the start page." : "Choose who works here. No password is needed: these are demo customers."),
    problem && [el("p", { role: "alert" }, `Who is signed in is not known. ${problem}.`), el("button", { type: "button", class: "button", onclick: () => location.reload() }, "Try again")],
    !isFramed && el("ul", { class: "customers" }, buttons),
  );
}

function message(title, detail, action, onclick) {
  return [el("h1", {}, title), el("p", {}, detail), el("button", { type: "button", class: "button", onclick }, action)];
}

// Single letters do nothing in fields.
function shortcuts(event, reload) {
  const isTyping = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName);
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "r") reload();
  if (event.key === "/") {
    const field = document.getElementById("search");
    if (field) event.preventDefault();
    field?.focus();
  }
  if (event.key === "Escape") document.querySelector(".has-detail .close")?.click();
}

start();
