// One product: pictures, facts, variants with stock and price fields, reviews, what goes with it.

import { el, icon, replace } from "../shared/dom.js";
import { words } from "../shared/format.js";
import { ages, amount, fullAmount, notKnown, picture, rating, stockWord, symbolOf } from "./cells.js";
import { PriceColumn, SaveBar } from "./price-column.js";
import { unknown } from "./product-table.js";
import { Screen } from "./screen.js";
import { table } from "./table.js";
import { brokenPart, count, longDay, missingSentence } from "./words.js";

export function productPane(app) {
  const node = el("div", { class: "detail" });
  const prices = new PriceColumn(app, "variant-price");
  const bar = new SaveBar(app);
  let screen = null;

  function show(id) {
    if (screen?.id === id && node.contains(screen.node)) return null;
    screen = new Screen(app, { what: `Product ${id}`, key: `product:${id}`, rows: 14, draw, needs: ["facts", "images[]", "variants[]"] });
    screen.id = id;
    replace(node, screen.node);
    return screen.load(`/v1/products/${encodeURIComponent(id)}`, { fresh: app.isFresh });
  }

  function draw(detail, facts) {
    return el(
      "section",
      { class: "pane", "aria-labelledby": "product-title" },
      head(detail, facts),
      el("div", { class: "pictures" }, detail.images.slice(0, 6).map((src) => picture({ image: src }, 72))),
      el("p", { class: "description" }, detail.description.split("\n\n")[0]),
      variants(detail, facts),
      attributes(detail),
      reviews(detail, facts),
      related(detail, facts),
    );
  }

  function variants({ facts: row, variants: all }, facts) {
    prices.begin();
    const stocks = new Map((row.stock?.skus ?? []).map((one) => [one.sku, one]));
    const currency = row.price?.price.currency ?? "EUR";
    const options = [...new Set(all.flatMap((one) => Object.keys(one.options)))];
    const lines = all.map((variant) => {
      const { cell, note } = prices.draw({ sku: variant.sku, title: `${row.product.title}, ${Object.values(variant.options).join(", ")}`, productId: row.product.id, currency, was: null });
      return { row: { ...variant, field: cell, stock: stocks.get(variant.sku) }, note };
    });
    const columns = [
      { key: "sku", head: "SKU", class: "code", cell: ({ sku }) => sku },
      ...options.map((name, index) => ({ key: name, head: heading(name), class: index === options.length - 1 ? "fill" : null, cell: (one) => words(String(one.options[name] ?? "–")) })),
      { key: "stock", head: "Stock", isNumber: true, cell: (one) => (one.stock ? stockWord(one.stock) : notKnown(facts, "stock")) },
    ];
    if (app.mayChangePrices) columns.push({ key: "price", head: `New price ${symbolOf(currency)}`, isNumber: true, class: "price-cell", cell: ({ field }) => field });
    return [
      el("header", { class: "pane-head" }, el("h2", {}, `${count(all.length, "variant")}`), el("span", { class: "grow" }), bar.actions),
      bar.report,
      table({ label: "Variants", columns, rows: lines }),
    ];
  }

  return {
    node,
    show,
    refresh: (options) => screen?.again(options),
    shows: (sku) => node.contains(prices.cells.get(sku)?.field ?? null),
    redraw: () => screen?.redraw(),
    leave: () => [prices.leave(), bar.leave()],
  };
}

function heading(name) {
  return words(name).replace(/^./, (letter) => letter.toUpperCase());
}

function head({ facts: row }, facts) {
  const { product, price } = row;
  const off = price?.list_price ? [" ", el("s", { class: "muted" }, amount(price.list_price)), ` −${price.discount_percent} %`] : null;
  const total = row.stock ? `${count(row.stock.available, "piece")} in stock` : [el("span", {}, "Stock "), notKnown(facts, "stock")];
  return [
    el(
      "header",
      { class: "pane-head" },
      el("a", { class: "small back", href: "#/products" }, icon("back", { size: 12 }), "Products"),
      el("h1", { id: "product-title" }, product.title),
      ages(facts, "product", "price", "stock"),
      el("a", { class: "small close", href: "#/products", "aria-label": "Close the product" }, icon("close", { size: 12 })),
    ),
    el("p", { class: "pane-note" }, `${product.brand} · ${product.category} · ${product.subtitle}`),
    el(
      "p",
      { class: "figures" },
      el("b", {}, price ? fullAmount(price.price) : el("span", {}, "Price ", notKnown(facts, "price"))),
      off,
      el("span", {}, total),
      el("span", {}, row.rating ? ["Rating ", rating(row, facts)] : ["Rating ", notKnown(facts, "rating")]),
    ),
  ];
}

function attributes({ attributes: all }) {
  const shown = all.map(({ label, value, unit }) => [el("dt", {}, label), el("dd", {}, `${value === true ? "yes" : value === false ? "no" : value}${unit ? ` ${unit}` : ""}`)]);
  return [el("h2", {}, "Facts"), el("dl", { class: "facts two" }, shown)];
}

function reviews({ reviews: all }, facts) {
  const broken = all.length ? null : brokenPart(facts, "reviews");
  const items = all.map((review) => el("li", {}, el("p", { class: "review-head" }, icon("star", { size: 10 }), ` ${review.rating} `, el("b", {}, review.title), el("span", { class: "muted" }, ` ${reviewer(review)}`)), el("p", {}, review.text ?? review.body)));
  const none = el("p", { class: "muted" }, "No reviews yet.");
  return [el("h2", {}, "Reviews"), all.length ? el("ul", { class: "reviews" }, items) : broken ? el("p", {}, unknown(missingSentence("Reviews are", broken))) : none];
}

function reviewer({ author, created_at: at }) {
  return [author?.name ?? author, at && longDay(at)].filter(Boolean).join(", ");
}

function related({ related: rows }, facts) {
  const broken = rows.length ? null : brokenPart(facts, "related", "summary");
  const items = rows.map((row) =>
    el("li", {}, picture(row.product), el("a", { href: `#/products/${row.product.id}` }, row.product.title), el("span", { class: "grow" }), row.price ? fullAmount(row.price.price) : notKnown(facts, "price")),
  );
  return [el("h2", {}, "Goes with it"), rows.length ? el("ul", { class: "related" }, items) : el("p", {}, broken ? unknown(missingSentence("Products that go with it are", broken)) : el("span", { class: "muted" }, "Nothing."))];
}
