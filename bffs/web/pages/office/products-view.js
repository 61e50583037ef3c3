// Products and prices: search, change many prices, save them at once; one product beside the list.

import { el, icon, replace } from "../shared/dom.js";
import { ages } from "./cells.js";
import { editLine, PriceColumn, SaveBar } from "./price-column.js";
import { Pages, pager } from "./pages.js";
import { productPane } from "./product-pane.js";
import { productTable } from "./product-table.js";
import { Screen } from "./screen.js";
import { count } from "./words.js";

const LIMIT = 25;
const TYPING_MS = 250;

export function productsView(app) {
  const pages = new Pages();
  const old = el("span", { class: "grow ages-place" });
  const prices = new PriceColumn(app, "list-price");
  const bar = new SaveBar(app);
  const list = new Screen(app, { what: "Products", key: "products", rows: LIMIT, draw, needs: ["items[]", "total"] });
  const pane = productPane(app);
  const unsaved = el("div", { class: "unsaved" });
  const node = el("div", { class: "view split" }, el("div", { class: "list" }, head(), bar.report, unsaved, list.node), pane.node);
  const stop = app.edits.onChange(showUnsaved);
  let sort = null;
  let selected = null;
  let search = null;
  let timer = null;

  function head() {
    const field = el("input", { type: "search", id: "search", name: "q", maxlength: "100", placeholder: "Name, kind or brand", autocomplete: "off", oninput: typed });
    const form = el(
      "form",
      { class: "search", role: "search", onsubmit: (event) => [event.preventDefault(), typed({ target: field, isAtOnce: true })] },
      el("label", { for: "search" }, icon("search", { size: 12 }), el("span", { class: "sr" }, "Search products")),
      field,
    );
    return el("header", { class: "pane-head" }, el("h1", {}, "Products and prices"), form, old, bar.actions);
  }

  function typed({ target, isAtOnce = false }) {
    clearTimeout(timer);
    const go = () => app.go(target.value.trim() ? `/products?q=${encodeURIComponent(target.value.trim())}` : "/products", { isReplaced: true });
    timer = setTimeout(go, isAtOnce ? 0 : TYPING_MS);
  }

  function draw({ items, total, next_cursor: next }, facts) {
    pages.learn(next);
    const query = search ? `q=${encodeURIComponent(search)}` : "";
    queueMicrotask(showUnsaved);
    replace(old, ages(facts, "page", "price", "stock", "rating"));
    return el(
      "section",
      { class: "pane", "aria-label": "Products" },
      productTable({
        label: "Products",
        rows: items,
        facts,
        prices,
        source: ["page"],
        what: "Products are",
        sort,
        selected,
        empty: search ? `No product matches “${search}”.` : "There are no products.",
        onSort: (next) => {
          sort = next;
          list.redraw();
        },
      }),
      pager({ base: "/products", query, pages, shown: items.length, limit: LIMIT, total, next, sort }),
    );
  }

  // Changes of products that this page of the list does not show.
  function showUnsaved() {
    const others = [...app.edits.edits.values()].filter(({ sku }) => !prices.cells.has(sku) && !pane.shows(sku));
    const lines = others.map((edit) =>
      el("li", {}, el("span", {}, editLine(edit)), el("button", { type: "button", class: "link", "aria-label": `Undo the change of ${edit.sku}`, onclick: () => app.edits.undo(edit.sku) }, "Undo")),
    );
    replace(unsaved, others.length > 0 && el("details", {}, el("summary", {}, `${count(others.length, "change")} of products that this list does not show`), el("ul", {}, lines)));
  }

  function path() {
    const query = new URLSearchParams({ limit: String(LIMIT) });
    if (search) query.set("q", search);
    if (pages.cursor) query.set("cursor", pages.cursor);
    return `/v1/products?${query}`;
  }

  function show({ params, query }) {
    const wanted = query.get("q") ?? (params.id ? search ?? "" : "");
    const isOther = wanted !== (search ?? "");
    if (isOther) pages.reset();
    search = wanted;
    const field = node.querySelector("#search");
    if (document.activeElement !== field) field.value = search;
    const isMoved = pages.read(query) || isOther;
    const wasSelected = selected;
    selected = params.id ?? null;
    node.classList.toggle("has-detail", selected !== null);
    list.isSaved = pages.number === 1 && !search;
    if ((selected === null || app.isWide()) && (isMoved || !list.last)) list.load(path(), { fresh: app.isFresh });
    else if (wasSelected !== selected) list.redraw();
    const shown = selected ? pane.show(selected) : replace(pane.node);
    showUnsaved();
    return shown;
  }

  async function refresh(options) {
    if (selected === null || app.isWide()) await list.load(path(), options);
    if (selected) await pane.refresh(options);
  }

  return {
    title: "Products and prices",
    key: "products",
    node,
    show,
    refresh,
    leave: () => [stop(), prices.leave(), bar.leave(), pane.leave()],
    priceRightsChanged: () => [bar.update(), list.redraw(), pane.redraw()],
  };
}
