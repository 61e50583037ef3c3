// Search and categories: a page of products, and more of them.
import { el, icon } from "../shared/dom.js";
import { categoryName, DEPARTMENTS, link, wayTo } from "./links.js";
import { ageOf, bone, button, card, emptyShelf, reply, shelf } from "./pieces.js";
import { MORE_PRODUCTS, PRODUCTS } from "./queries.js";
import { plural, problemWords } from "./words.js";

const FIRST = 12;

const common = {
  query: PRODUCTS,
  needs: ["products.items[]"],
  optional: ["cart", "categories"],
  cart: (body) => body.cart,
  skeleton: () => [el("div", { class: "listed" }, bone("title"), bone("short")), emptyShelf(8)],
};

export const search = {
  ...common,
  name: "list",
  subject: "the search",
  variables: ({ query }, mine) => ({ search: query.get("q") ?? "", category: "", first: FIRST, after: "", mine }),
  title: (_body, { query }) => (query.get("q") ? `Search for “${query.get("q")}”` : "All products"),
  draw: (view) => {
    const words = view.route.query.get("q") ?? "";
    return [bigSearch(view.shop, words), chips([{ id: null, name: "All" }, ...(view.body.categories ?? DEPARTMENTS)], words ? undefined : null), results(view, words ? `“${words}”` : "All products", { search: words, category: "" })];
  },
};

export const category = {
  ...common,
  name: "list",
  subject: "this department",
  variables: ({ params }, mine) => ({ search: "", category: params.id, first: FIRST, after: "", mine }),
  title: (body, { params }) => wayTo(body?.categories, params.id).at(-1)?.name ?? categoryName(params.id),
  draw: (view) => {
    const { id } = view.route.params;
    const way = wayTo(view.body.categories, id);
    const name = way.at(-1)?.name ?? categoryName(id);
    return [crumbs(way.slice(0, -1), name), results(view, name, { search: "", category: id }, narrower(way, id))];
  },
};

// For screens on which the head has no room for the field.
function bigSearch(shop, words) {
  const field = el("input", { id: "page-q", type: "search", name: "q", value: words, maxlength: 100, placeholder: "Tent, lamp, keyboard …", "aria-label": "What are you looking for?", autocomplete: "off" });
  const submit = (event) => {
    event.preventDefault();
    shop.go(`/search?${new URLSearchParams({ q: field.value.trim() })}`);
  };
  return el("form", { class: "search is-big", role: "search", onsubmit: submit }, icon("search", { size: 18 }), field, el("button", { class: "button is-large is-main" }, "Search"));
}

function chips(all, current) {
  const one = ({ id, name }) => el("a", { href: link(id ? `/categories/${id}` : "/search"), "aria-current": id === current && "page" }, name);
  return el("nav", { class: "chips", "aria-label": "Kinds of products" }, all.map(one));
}

function crumbs(above, name) {
  const links = [{ path: "/", name: "shop" }, ...above.map(({ id, name: words }) => ({ path: `/categories/${id}`, name: words }))];
  const steps = links.flatMap(({ path, name: words }) => [el("a", { href: link(path) }, words), icon("next", { size: 10 })]);
  return el("nav", { class: "crumbs", "aria-label": "Where this is" }, steps, el("span", {}, name));
}

// What is below a category; of one that has nothing below it, what is beside it.
function narrower(way, id) {
  const below = way.at(-1)?.children ?? way.at(-2)?.children;
  return below ? chips(below, id) : null;
}

function results(view, title, wanted, kinds = null) {
  const { products } = view.body;
  if (products.total === 0) return nothing(title, wanted);
  const list = shelf(products.items.map((product, number) => card(product, { eager: number < 4 })));
  return [
    el("div", { class: "listed" }, el("h1", {}, title), el("p", {}, plural(products.total, "product")), ageOf(view.part("page"))),
    kinds,
    list,
    more(view, list, products, wanted),
  ];
}

function nothing(title, { search: words }) {
  return el(
    "section",
    { class: "panel" },
    icon("search", { size: 20 }),
    el("h1", {}, words ? `Nothing was found for ${title}` : `There is nothing in ${title} at the moment`),
    el("p", {}, words ? "Try fewer or other words, or look into a department." : "Look into another department."),
    el("div", { class: "row" }, el("a", { class: "button is-large", href: link("/search") }, "All products"), el("a", { class: "button is-large", href: link("/") }, "Home page")),
  );
}

// The page grows in place: what is there stays, the focus goes to the first new product.
function more({ shop, body }, list, { items, total, nextCursor }, wanted) {
  let after = nextCursor;
  let shown = items.length;
  const message = reply();
  const count = el("p", { class: "muted" });
  const again = button("Show more", { id: "more", onclick: load });
  const said = () => (count.textContent = `${shown.toLocaleString("en")} of ${total.toLocaleString("en")}`);

  async function load() {
    again.disabled = true;
    message.say("");
    const answer = await shop.client.graphql(MORE_PRODUCTS, { ...wanted, first: FIRST, after }, { screen: "more", needs: ["products.items[]"] });
    again.disabled = false;
    if (!answer.ok) {
      message.say(`${problemWords(answer.problem, "the next page").title}. Try again.`, "failed");
      again.focus();
      return;
    }
    const { items: next, nextCursor: following } = answer.body.products;
    body.products = { ...body.products, items: [...body.products.items, ...next], nextCursor: following };
    body.isGrown = true;
    const cards = next.map((product) => card(product));
    list.append(...cards);
    after = following;
    shown += next.length;
    said();
    again.hidden = after === null;
    cards[0]?.querySelector("a")?.focus({ preventScroll: true });
  }

  said();
  again.hidden = after === null;
  return el("div", { class: "more" }, count, again, message.node);
}
