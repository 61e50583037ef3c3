// The frame of all screens: head with title and cart, content, a bar of the screen, a sentence, tabs.
import { el, icon, replace } from "../shared/dom.js";
import { redraw } from "./redraw.js";
import { count as items, sentence } from "./words.js";

const TABS = [
  ["home", "/", "Home"],
  ["search", "/search", "Search"],
  ["orders", "/orders", "Orders"],
  ["user", "/you", "You"],
];
const AGE_MS = 10_000;

export class Shell {
  constructor(root, back) {
    this.title = el("h1", { tabindex: "-1" }, "Home");
    this.sub = el("p", { class: "sub" });
    this.back = el("button", { type: "button", class: "touch", "aria-label": "Back", onclick: back }, icon("back", { size: 18 }));
    this.cart = el("a", { class: "touch cart", href: "#/cart" });
    this.main = el("div", { id: "main", class: "scroll", tabindex: "0" });
    this.bar = el("div", { class: "dock" });
    this.notice = el("div", { class: "say", role: "status" });
    this.tabs = el("nav", { class: "tabs", "aria-label": "Main" });
    this.head = el("header", { class: "head" }, this.back, el("div", { class: "titles" }, this.title, this.sub), this.cart);
    const skip = el("a", { class: "skip", href: "#main", onclick: (event) => this.#skip(event) }, "Skip to content");
    replace(root, skip, this.head, el("main", {}, this.main, this.notice, this.bar), this.tabs);
    this.setCart(undefined);
    setInterval(() => this.#drawNotice(), AGE_MS);
  }

  /** Starts a screen: its title, whether it can go back, the tab that it belongs to. Returns its node. */
  begin({ title, tab, isInner = false }) {
    const node = el("div", { class: `screen is-${title.toLowerCase().replaceAll(" ", "-")}` });
    this.back.hidden = !isInner;
    this.head.classList.toggle("is-home", tab === "home" && !isInner);
    this.setTitle(title);
    replace(this.sub);
    replace(this.bar);
    this.say(null);
    replace(this.main, node);
    this.main.scrollTop = 0;
    this.#drawTabs(tab);
    return node;
  }

  setTitle(title) {
    this.title.textContent = title;
    document.title = `${title} · shop`;
  }

  /** Greets on the home screen: "Hello Rémi", "Gold · 7,450 points". */
  greet({ name, tier, points }) {
    this.title.textContent = `Hello ${name}`;
    document.title = "Home · shop";
    this.sub.textContent = `${sentence(tier)} · ${points.toLocaleString("en")} points`;
  }

  /** Shows how much the cart holds: null is not known, undefined not loaded yet. */
  setCart(count, part) {
    this.count = count;
    const words = count === undefined ? "" : count === null ? ", number not known" : `, ${items(count, "item")}`;
    const old = part?.state === "stale" ? ", not the newest number" : "";
    this.cart.setAttribute("aria-label", `Cart${words}${old}`);
    redraw(this.cart, [count], () => [icon("cart", { size: 20 }), this.#cartBadge(count)]);
  }

  #cartBadge(count) {
    if (!count && count !== null) return null;
    return el("span", { class: count === null ? "count is-unknown" : "count", "aria-hidden": "true" }, count === null ? "?" : count > 99 ? "99+" : count);
  }

  /** Puts a screen's bar, such as "Add to cart", between the content and the tabs. */
  setBar(node) {
    replace(this.bar, node);
  }

  /** Says something about the whole screen, over its lower edge; `words()` is called again as time passes. */
  say(words, action = null) {
    this.said = words && { words, action };
    this.#drawNotice();
  }

  #drawNotice() {
    const { words, action } = this.said ?? {};
    const text = words?.() ?? "";
    this.notice.classList.toggle("is-failed", Boolean(action?.isFailure));
    redraw(this.notice, [text, action?.label, action?.isFailure], () => {
      if (!text) return [];
      const shape = action?.isFailure ? "failed" : action ? "offline" : "stale";
      const button = action && el("button", { id: "try-again", type: "button", class: "button", onclick: () => this.said?.action?.run() }, action.label);
      return [icon(shape, { size: 14 }), el("p", {}, text), button];
    });
  }

  #drawTabs(current) {
    const drawn = TABS.map(([name, path, label]) =>
      el("a", { id: `tab-${name}`, href: `#${path}`, "aria-current": name === current ? "page" : null }, icon(name, { size: 18 }), el("span", {}, label)),
    );
    replace(this.tabs, drawn);
  }

  #skip(event) {
    event.preventDefault();
    this.main.focus();
  }
}
