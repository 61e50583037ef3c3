// The table of products that home, the price list and a product's page share.

import { el, icon } from "../shared/dom.js";
import { amount, notKnown, picture, rating, stock, symbolOf } from "./cells.js";
import { sortRows } from "./sort.js";
import { rowLink, table } from "./table.js";
import { brokenPart, missingSentence } from "./words.js";

// `prices` is the PriceColumn of the view. `source` names the parts that the list itself needs.
export function productTable({ label, rows, facts, prices, source, what, sort = null, onSort = null, selected = null, height = 0, empty }) {
  const currency = rows.find((row) => row.price)?.price.price.currency ?? "EUR";
  const value = VALUES[sort?.key];
  const sorted = value ? sortRows(rows, value, sort.direction) : rows;
  prices.begin();
  // Where the price is not known there is no field, unless something was typed before.
  const lines = sorted.map((row, index) => {
    const { id, title } = row.product;
    const was = row.price?.price.amount ?? null;
    const { cell, note } = row.price || prices.hasEdit(row.sku) ? prices.draw({ sku: row.sku, title, productId: id, currency, was }) : { cell: null, note: null };
    return { row: { ...row, index, field: cell, selected }, isSelected: id === selected, note };
  });
  const broken = rows.length ? null : brokenPart(facts, ...source);
  const message = rows.length ? null : broken ? unknown(missingSentence(what, broken)) : el("span", { class: "muted" }, empty);
  return table({ label, columns: columns(facts, currency), rows: lines, sort, onSort, message, height });
}

const VALUES = {
  sku: (row) => row.sku,
  title: (row) => row.product.title,
  category: (row) => row.product.category,
  price: (row) => row.price?.price.amount ?? null,
  list: (row) => row.price?.list_price?.amount ?? null,
  stock: (row) => row.stock?.available ?? null,
  rating: (row) => row.rating?.average ?? null,
};

function columns(facts, currency) {
  const symbol = symbolOf(currency);
  return [
    { key: "picture", head: "Picture", isHidden: true, class: "thumb", cell: ({ product }) => picture(product) },
    { key: "sku", head: "SKU", value: VALUES.sku, class: "code w90 roomy", cell: ({ sku }) => sku },
    {
      key: "title",
      head: "Product",
      value: VALUES.title,
      class: "fill",
      cell: ({ product, index, selected }) =>
        rowLink(`#/products/${product.id}`, [product.title, el("span", { class: "more" }, product.subtitle)], { index, isCurrent: product.id === selected }),
    },
    { key: "category", head: "Category", value: VALUES.category, isWide: true, class: "category", cell: ({ product }) => product.category },
    {
      key: "price",
      head: `Price ${symbol}`,
           value: VALUES.price,
      isNumber: true,
      class: "price-cell w70",
      cell: (row) => row.field ?? notKnown(facts, "price"),
    },
    { key: "list", head: `List ${symbol}`, value: VALUES.list, isNumber: true, isWide: true, cell: (row) => listPrice(row, facts) },
    { key: "stock", head: "Stock", value: VALUES.stock, isNumber: true, class: "w64", cell: (row) => stock(row, facts) },
    { key: "rating", head: "Rating", value: VALUES.rating, isNumber: true, class: "w60 roomy", cell: (row) => rating(row, facts) },
  ];
}

function listPrice(row, facts) {
  if (!row.price) return notKnown(facts, "price");
  const { list_price: list, discount_percent: off } = row.price;
  if (!list) return el("span", { class: "muted" }, "–");
  return el("span", {}, el("s", {}, amount(list)), " ", el("em", { class: "off" }, `−${off} %`));
}

export function unknown(sentence) {
  return el("span", { class: "is-unknown says" }, icon("fallback", { size: 12 }), sentence);
}
