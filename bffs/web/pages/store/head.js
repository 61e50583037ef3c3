// The head and the foot of every page: departments, search, cart, account.
import { el, icon, replace } from "../shared/dom.js";
import { signIn, signInAddress, signOut } from "../shared/viewer.js";
import { isFramed } from "../shared/frame.js";
import { DEPARTMENTS, link } from "./links.js";
import { plural } from "./words.js";

/** Draws the head; `state` is {shop, path, search, category}. */
export function drawHead(node, { shop, path, search, category }) {
  replace(
    node,
    el(
      "div",
      { class: "head-row" },
      el("a", { class: "logo", href: link("/"), "aria-label": "shop, home page" }, "shop"),
      departments(category),
      searchBox(shop, search),
      el("a", { class: "tool find", href: link("/search"), "aria-label": "Search" }, icon("search", { size: 18 })),
      cartLink(shop, path),
      account(shop),
    ),
  );
}

function departments(current) {
  const links = DEPARTMENTS.map(({ id, name }) =>
    el("a", { href: link(`/categories/${id}`), "aria-current": id === current && "page" }, name),
  );
  return el("nav", { class: "departments", "aria-label": "Departments" }, links);
}

function searchBox(shop, search) {
  const field = el("input", { id: "head-q", type: "search", name: "q", value: search ?? "", maxlength: 100, placeholder: "Search the shop", "aria-label": "Search the shop", autocomplete: "off" });
  const submit = (event) => {
    event.preventDefault();
    shop.go(`/search?${new URLSearchParams({ q: field.value.trim() })}`);
  };
  return el("form", { class: "search", role: "search", onsubmit: submit }, icon("search", { size: 16 }), field, el("button", { class: "sr-button" }, "Search"));
}

function cartLink(shop, path) {
  const { count, isKnown } = shop.cart;
  const isLost = !isKnown && shop.customer;
  const name = count === null ? `Cart${isLost ? ", content not known" : ""}` : `Cart, ${plural(count, "item")}`;
  return el(
    "a",
    { class: "tool cart-link", id: "cart-link", href: link("/cart"), "aria-label": name, "aria-current": path === "/cart" && "page" },
    icon("cart", { size: 18 }),
    count > 0 && el("em", {}, count > 99 ? "99+" : count),
    isLost && el("em", { class: "is-unknown" }, "?"),
  );
}

function account(shop) {
  if (!shop.customer) return signInLink(shop);
  const { name } = shop.customer;
  const initials = name.split(/\s+/).map((word) => word[0]).filter(Boolean);
  const short = initials.length > 1 ? initials[0] + initials.at(-1) : (initials[0] ?? "?");
  const menu = el(
    "div",
    { class: "menu", id: "account", hidden: true },
    el("p", {}, el("b", {}, name), el("span", {}, "Signed in")),
    el("a", { href: link("/orders") }, icon("orders"), "Your orders"),
    el("a", { href: link("/cart") }, icon("cart"), "Your cart"),
    el("button", { type: "button", onclick: () => leave(shop) }, icon("close"), "Sign out"),
  );
  const toggle = el(
    "button",
    { type: "button", class: "tool avatar", id: "account-button", "aria-expanded": "false", "aria-controls": "account", "aria-label": `${short}, account of ${name}` },
    short,
  );
  return el("div", { class: "account", ...opened(toggle, menu) }, toggle, menu);
}

// The provider's pages can't be framed: a frame signs in within the whole window.
function signInLink({ config }) {
  const isSession = config.auth === "session";
  const next = isFramed ? top.location.pathname : location.pathname + location.search;
  const href = isSession ? address("", next) : link("/sign-in");
  return el("a", { class: "button", id: "sign-in", href, target: isSession && isFramed && "_top" }, "Sign in");
}

// A menu that closes by Escape, by a click elsewhere, and when the focus leaves it.
function opened(toggle, menu) {
  const show = (isOpen) => {
    menu.hidden = !isOpen;
    toggle.setAttribute("aria-expanded", String(isOpen));
  };
  toggle.addEventListener("click", () => show(menu.hidden));
  menu.addEventListener("click", () => show(false));
  return {
    onkeydown: (event) => {
      if (event.key !== "Escape" || menu.hidden) return;
      show(false);
      toggle.focus();
    },
    onfocusout: ({ relatedTarget, currentTarget }) => {
      if (!currentTarget.contains(relatedTarget)) show(false);
    },
  };
}

async function leave(shop) {
  try {
    const next = await signOut();
    if (isFramed) top.location.href = next;
    else location.href = next;
  } catch (error) {
    shop.say(error.message, "failed");
  }
}

/** Draws the foot: all departments, for screens on which the head has no room for them. */
export function drawFoot(node, { shop }) {
  const links = DEPARTMENTS.map(({ id, name }) => el("a", { href: link(`/categories/${id}`) }, name));
  replace(
    node,
    el("nav", { "aria-label": "All departments" }, links, el("a", { href: link("/search") }, "All products"), shop.customer && el("a", { href: link("/orders") }, "Your orders")),
    el("p", {}, "A sample shop: its goods and customers are invented. Each page is one GraphQL request to the gateway of the web page."),
  );
}

/** Draws the ways to sign in: the form of the identity provider, and a button for each demo customer. */
export function signInChoices(shop, next = location.pathname + location.search) {
  if (isFramed) return el("p", { class: "muted" }, "The buttons above the three screens sign you in.");
  const { auth, customers } = shop.config;
  const isSession = auth === "session";
  const main = isSession && el("a", { class: "button is-large is-main", href: address("", next) }, "Sign in");
  const choose = (id) => (isSession ? el("a", { href: address(id, next) }) : el("button", { type: "button", onclick: () => signIn(id) }));
  const people = customers.map(({ id, name }) => {
    const one = choose(id);
    one.className = "button is-large who";
    one.append(icon("user"), name);
    return one;
  });
  const hint = main ? "This is a demo: you can also enter in one step as" : "This gateway accepts demo customers without a sign-in:";
  return [main, people.length > 0 && el("div", { class: "whos" }, el("p", {}, hint), el("div", { class: "row" }, people))];
}

function address(customer, next) {
  const url = new URL(signInAddress(customer), location.href);
  url.searchParams.set("returnUrl", next);
  return url.href;
}
