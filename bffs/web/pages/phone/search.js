// Search: a field, kinds of products, and the products that match.
import { el, icon, replace } from "../shared/dom.js";
import { card, cardBones } from "./cards.js";
import { redraw } from "./redraw.js";
import { Results } from "./results.js";
import { Screen } from "./screen.js";
import { count } from "./words.js";

const PAUSE_MS = 300;

/** Opens the search in `node`; `query` has `q` and `category`. */
export function openSearch(app, node, query) {
  const wanted = { q: query.get("q") ?? "", category: query.get("category") ?? "" };
  const results = new Results();
  let added = 0; // how often "Show more" added products to what was drawn

  const field = el("input", {
    id: "q",
    type: "search",
    name: "q",
    value: wanted.q,
    placeholder: "Tent, teapot, earbuds …",
    "aria-label": "Search products",
    autocomplete: "off",
    enterkeyhint: "search",
    maxlength: 100,
  });
  const form = el("form", { role: "search", class: "search" }, icon("search"), field);
  const chips = el("div", { class: "chips", role: "group", "aria-label": "Kind of product" });
  const found = el("p", { class: "found", role: "status" });
  const grid = el("ul", { class: "grid" });
  const more = el("div", { class: "more" });
  node.append(form, chips, found, grid, more);

  const path = (cursor) => {
    const given = { q: wanted.q, category: wanted.category, cursor: cursor ?? "", limit: 20, width: app.width };
    return `/v1/products?${new URLSearchParams(Object.entries(given).filter(([, value]) => value !== ""))}`;
  };

  const screen = new Screen(app, grid, {
    title: "Products",
    lister: "catalog",
    load: ({ fresh }) => app.api.get(path(), { fresh }),
    draw,
    drawSkeleton: () => redraw(grid, "bones", () => cardBones(6)),
  });

  function draw(body, parts) {
    const words = wanted.q ? ` for “${wanted.q}”` : "";
    found.textContent = `${count(body.total, "product")}${words}`;
    if (!results.accept(body)) return;
    const { items } = results;
    const nothing = () => el("li", { class: "none" }, `Nothing found${words}.`);
    redraw(grid, [wanted, items, parts.map(({ state }) => state), added], () => (items.length ? items.map(card) : nothing()));
    drawMore();
  }

  function drawMore(problem) {
    const button = results.next && el("button", { id: "more", type: "button", class: "button is-wide", onclick: showMore }, "Show more");
    replace(more, problem && el("p", { class: "wrong" }, "More could not be loaded."), button);
  }

  async function showMore() {
    const { turn, next, items } = results;
    const result = await app.api.get(path(next));
    app.report(result.facts);
    if (turn !== results.turn) return;
    if (!result.ok) return drawMore(result.problem);
    const first = items.length;
    results.add(turn, result.body);
    added += 1;
    grid.append(...result.body.items.map(card));
    drawMore();
    grid.children[first]?.firstElementChild.focus({ preventScroll: true });
  }

  async function drawChips() {
    const kinds = await app.loadCategories();
    redraw(chips, [kinds, wanted.category], () => [chip("", "All"), kinds ? kinds.map(({ id, name }) => chip(id, name)) : el("span", { class: "note is-missing" }, icon("missing", { size: 11 }), "Kinds of product not available")]);
  }

  function chip(id, name) {
    const choose = () => search({ category: id });
    return el("button", { id: `kind-${id}`, type: "button", class: "chip", "aria-pressed": String(wanted.category === id), onclick: choose }, name);
  }

  function search(change) {
    Object.assign(wanted, change);
    app.remember(`/search?${new URLSearchParams(Object.entries(wanted).filter(([, value]) => value))}`);
    results.begin();
    drawMore();
    drawChips();
    screen.restart();
  }

  let timer;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => search({ q: field.value.trim() }), PAUSE_MS);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    search({ q: field.value.trim() });
    field.blur();
  });
  drawChips();
  return screen;
}
