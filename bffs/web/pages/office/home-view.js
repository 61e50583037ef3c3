// Home: the customer, the latest orders, recommended stock with prices, and deals.

import { el } from "../shared/dom.js";
import { words } from "../shared/format.js";
import { ages, amount, initials, symbolOf } from "./cells.js";
import { orderTable } from "./order-table.js";
import { PriceColumn, SaveBar } from "./price-column.js";
import { productTable, unknown } from "./product-table.js";
import { Screen } from "./screen.js";
import { table } from "./table.js";
import { brokenPart, count, missingSentence, shortDay } from "./words.js";

export function homeView(app) {
  const prices = new PriceColumn(app, "home-price");
  const bar = new SaveBar(app);
  const sorts = { orders: null, picks: null };
  const heights = { orders: 10, picks: 20, deals: 10 };

  const screen = new Screen(app, { what: "Home", key: "home", rows: 18, draw, needs: ["customer", "orders[]", "picks[]", "deals[]"] });

  function draw(home, facts) {
    for (const name of ["orders", "picks", "deals"]) heights[name] = home[name].length || heights[name];
    return [
      header(home, facts),
      el("div", { class: "columns" }, orders(home, facts), picks(home, facts), deals(home, facts)),
    ];
  }

  function orders(home, facts) {
    return el(
      "section",
      { class: "pane latest", "aria-labelledby": "orders-title" },
      el(
        "header",
        { class: "pane-head" },
        el("h2", { id: "orders-title" }, "Orders"),
        ages(facts, "orders"),
        el("a", { class: "small", href: "#/export" }, "Export as stream"),
        el("a", { class: "small", href: "#/orders" }, "All orders"),
      ),
      orderTable({
        rows: home.orders.map((order) => ({ order })),
        facts,
        source: ["orders"],
        height: heights.orders,
        sort: sorts.orders,
        onSort: (sort) => again("orders", sort),
      }),
    );
  }

  function picks(home, facts) {
    return el(
      "section",
      { class: "pane picks", "aria-labelledby": "picks-title" },
      el("header", { class: "pane-head" }, el("h2", { id: "picks-title" }, "Recommended stock"), ages(facts, "picks", "price", "stock", "rating"), bar.actions),
      bar.report,
      productTable({
        label: "Recommended stock",
        rows: home.picks,
        facts,
        prices,
        source: ["picks", "summary"],
        what: "Recommended stock is",
        height: heights.picks,
        empty: "Nothing is recommended yet.",
        sort: sorts.picks,
        onSort: (sort) => again("picks", sort),
      }),
    );
  }

  function deals(home, facts) {
    const broken = home.deals.length ? null : brokenPart(facts, "deals");
    const none = el("span", { class: "muted" }, "No deals at present.");
    return el(
      "section",
      { class: "pane", "aria-labelledby": "deals-title" },
      el("header", { class: "pane-head" }, el("h2", { id: "deals-title" }, "Deals"), ages(facts, "deals")),
      table({
        label: "Deals",
        columns: dealColumns(home.deals[0]?.price.currency ?? "EUR"),
        rows: home.deals.map((row) => ({ row })),
        message: home.deals.length ? null : broken ? unknown(missingSentence("Deals are", broken)) : none,
        height: heights.deals,
      }),
    );
  }

  function again(name, sort) {
    sorts[name] = sort;
    screen.redraw();
  }

  return {
    title: "Home",
    node: el("div", { class: "view" }, screen.node),
    show: () => screen.load("/v1/dashboard", { fresh: app.isFresh }),
    refresh: (options) => screen.load("/v1/dashboard", options),
    leave: () => [prices.leave(), bar.leave()],
    priceRightsChanged: () => [bar.update(), screen.redraw()],
  };
}

function header({ customer, cart, payment_methods: methods }, facts) {
  const cartBroken = cart ? null : brokenPart(facts, "cart");
  const methodsBroken = methods.length ? null : brokenPart(facts, "payment_methods");
  const facets = [
    el("span", {}, customer.email),
    el("span", {}, words(customer.loyalty.tier), el("span", { class: "points" }, `, ${count(customer.loyalty.points, "point")}`)),
    methodsBroken ? unknown("payment methods not known") : el("span", {}, count(methods.length, "payment method")),
    cart ? el("a", { href: "#/cart" }, `cart ${count(cart.count, "item")}`) : unknown(cartBroken ? "cart not known" : "no cart"),
  ];
  return el(
    "header",
    { class: "customer" },
    el("span", { class: "initials", "aria-hidden": "true" }, initials(customer.name)),
    el("div", {}, el("h1", {}, customer.name, " ", el("span", { class: "muted" }, `customer ${customer.id}`)), el("p", { class: "facets" }, facets)),
  );
}

function dealColumns(currency) {
  const symbol = symbolOf(currency);
  return [
    { key: "product", head: "Product", class: "code", cell: (deal) => el("a", { href: `#/products/${deal.product_id}` }, deal.product_id) },
    { key: "badge", head: "Kind", class: "fill", cell: (deal) => words(deal.badge) },
    { key: "ends", head: "Ends", cell: (deal) => shortDay(deal.ends_at) },
    { key: "off", head: "Off", isNumber: true, cell: (deal) => `${deal.discount_percent} %` },
    { key: "list", head: `List ${symbol}`, isNumber: true, cell: (deal) => el("s", {}, amount(deal.list_price)) },
    { key: "price", head: `Price ${symbol}`, isNumber: true, cell: (deal) => amount(deal.price) },
  ];
}
