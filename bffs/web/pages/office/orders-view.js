// Orders: pages of a wide table, and one order beside it (below 1000 px in its place).

import { el, replace } from "../shared/dom.js";
import { ages } from "./cells.js";
import { orderPane } from "./order-pane.js";
import { orderTable } from "./order-table.js";
import { Pages, pager } from "./pages.js";
import { Screen } from "./screen.js";
import { count } from "./words.js";

const LIMIT = 25;

export function ordersView(app) {
  const pages = new Pages();
  const list = new Screen(app, { what: "Orders", key: "orders", rows: LIMIT, draw, needs: ["items[]", "total"] });
  const pane = orderPane(app);
  const node = el("div", { class: "view split" }, el("div", { class: "list" }, list.node), pane.node);
  let sort = null;
  let selected = null;

  function draw({ items, total, next_cursor: next }, facts) {
    pages.learn(next);
    return el(
      "section",
      { class: "pane", "aria-labelledby": "orders-title" },
      el(
        "header",
        { class: "pane-head" },
        el("h1", { id: "orders-title" }, "Orders ", el("span", { class: "muted" }, count(total, "order"))),
        ages(facts, "page", "stock", "payment"),
        el("a", { class: "small", href: `#/export?total=${total}` }, `Export all ${count(total, "order")}`),
      ),
      orderTable({
        rows: items,
        facts,
        source: ["page"],
        isWide: true,
        sort,
        selected,
        onSort: (next) => {
          sort = next;
          list.redraw();
        },
      }),
      pager({ base: "/orders", pages, shown: items.length, limit: LIMIT, total, next, sort }),
    );
  }

  const path = () => `/v1/orders?limit=${LIMIT}${pages.cursor ? `&cursor=${encodeURIComponent(pages.cursor)}` : ""}`;

  // The list is loaded where it is visible: beside an order only on a wide screen.
  function show({ params, query }) {
    const isMoved = pages.read(query);
    const wasSelected = selected;
    selected = params.id ?? null;
    node.classList.toggle("has-detail", selected !== null);
    const needsList = selected === null || app.isWide();
    list.isSaved = pages.number === 1;
    if (needsList && (isMoved || !list.last)) list.load(path(), { fresh: app.isFresh });
    else if (wasSelected !== selected) list.redraw();
    return selected ? pane.show(selected, known(selected)) : replace(pane.node);
  }

  function known(id) {
    return list.last?.body.items.find(({ order }) => order.id === id) ?? null;
  }

  async function refresh(options) {
    if (selected === null || app.isWide()) await list.load(path(), options);
    if (selected) await pane.refresh(options);
  }

  return { title: "Orders", node, show, refresh, leave: () => {}, key: "orders" };
}
