// The page of a product: pictures, price, stock, what people say, and the way into the cart.
import { newKey } from "../shared/client.js";
import { el, icon } from "../shared/dom.js";
import { card, picture, price } from "./cards.js";
import { gap, place } from "./place.js";
import { redraw } from "./redraw.js";
import { Screen } from "./screen.js";
import { cause, noAnswer, stockWords } from "./words.js";

/** Opens the page of the product `id` in `node`. */
export function openProduct(app, node, id) {
  const gallery = el("div", { class: "gallery" });
  const facts = el("div", { class: "facts" });
  const choice = el("div", { class: "choice" });
  const text = el("div", { class: "text" });
  const reviews = el("section", { "aria-labelledby": "reviews" });
  const related = el("section", { "aria-labelledby": "related" });
  const bar = el("div", { class: "bar" });
  const chosen = { sku: null };
  const adding = { attempt: null, state: "idle", problem: null };
  app.shell.setBar(bar);

  const screen = new Screen(app, node, {
    title: "The product",
    load: ({ fresh }) => app.api.get(`/v1/products/${encodeURIComponent(id)}?width=${app.width}`, { fresh, needs: ["title", "variants[]", "images[]"] }),
    draw,
    drawSkeleton,
  });

  function drawSkeleton() {
    node.replaceChildren(gallery, facts);
    redraw(gallery, "bones", () => el("span", { class: "bone is-square" }));
    redraw(facts, "bones", () => [el("span", { class: "bone is-title" }), el("span", { class: "bone" })]);
  }

  function draw(body, parts) {
    const find = (name) => parts.find((part) => part.name === name);
    if (!related.isConnected) node.replaceChildren(gallery, facts, choice, text, reviews, related);
    app.shell.setTitle(body.title);
    if (!body.variants.some(({ sku }) => sku === chosen.sku)) chosen.sku = body.sku;
    redraw(gallery, body.images, () => drawGallery(body));
    redraw(facts, [body.brand, chosen.sku, body.price, body.stock, body.stars, ...["price", "stock", "rating"].map((name) => find(name)?.state)], () => drawFacts(body, find, variant()?.price ?? body.price));
    redraw(choice, [body.variants, chosen.sku], () => drawChoice(body));
    redraw(text, body.text, () => body.text.split("\n\n").map((paragraph) => el("p", {}, paragraph)));
    redraw(reviews, [body.reviews, find("reviews")?.state], () => drawReviews(body, find("reviews")));
    redraw(related, [body.related, find("related")?.state], () => drawRelated(body, find("related")));
    drawBar();
  }

  function drawChoice({ variants }) {
    if (variants.length < 2) return [];
    const option = ({ sku, label, stock }) => el("option", { value: sku, selected: sku === chosen.sku }, stock && stock !== "in_stock" ? `${label} (${stockWords(stock).toLowerCase()})` : label);
    const select = el("select", { id: "variant", class: "input is-touch" }, variants.map(option));
    select.addEventListener("change", () => choose(select.value));
    return [el("label", { class: "label", for: "variant" }, "Variant"), select];
  }

  function choose(sku) {
    chosen.sku = sku;
    Object.assign(adding, { attempt: null, state: "idle", problem: null });
    draw(screen.body, screen.parts);
  }

  const variant = () => screen.body?.variants.find(({ sku }) => sku === chosen.sku);
  const isOutOfStock = () => variant()?.stock === "out_of_stock";

  function drawBar() {
    const isOut = isOutOfStock();
    redraw(bar, [isOut, chosen.sku, adding.state, adding.problem, adding.attempt?.quantity], () => [
      adding.problem && el("p", { class: "wrong", role: "status" }, `Not added: ${adding.problem}.`),
      adding.state === "added" && el("p", { class: "added", role: "status" }, icon("ok", { class: "is-ok mark" }), `${adding.attempt.quantity} in the cart`, el("a", { href: "#/cart" }, "Open the cart")),
      el("button", { id: "add", type: "button", class: "button is-main", "aria-disabled": isOut || !chosen.sku || adding.state === "sending" ? "true" : null, onclick: add }, buttonWords(isOut)),
    ]);
  }

  function buttonWords(isOut) {
    if (isOut) return "Out of stock";
    if (adding.state === "sending") return "Adding …";
    return adding.problem ? "Try again" : adding.state === "added" ? "Add one more" : "Add to cart";
  }

  async function add() {
    if (!chosen.sku || isOutOfStock() || adding.state === "sending") return;
    if (!adding.problem) adding.attempt = { key: newKey() };
    Object.assign(adding, { state: "sending", problem: null });
    drawBar();
    const { ok, problem } = await app.addToCart(chosen.sku, adding.attempt);
    adding.state = ok ? "added" : "idle";
    adding.problem = ok ? null : problem.status ? cause(problem, "cart") : noAnswer(problem);
    drawBar();
  }

  return screen;
}

function drawGallery({ images, title }) {
  if (!images.length) return picture(null);
  const one = (url, at) => picture(url, { size: 640, alt: `${title}, picture ${at + 1} of ${images.length}`, isLazy: at > 0 });
  const strip = el("div", { class: "strip", tabindex: images.length > 1 ? "0" : null, role: "group", "aria-label": "Pictures" }, images.map(one));
  if (images.length < 2) return strip;
  const dots = el("div", { class: "dots", "aria-hidden": "true" }, images.map(() => el("i", {})));
  const mark = () => {
    const at = Math.round(strip.scrollLeft / (strip.scrollWidth / images.length));
    [...dots.children].forEach((dot, number) => dot.classList.toggle("is-on", number === at));
  };
  strip.addEventListener("scroll", mark, { passive: true });
  dots.firstElementChild.classList.add("is-on");
  return [strip, dots];
}

function drawFacts(body, find, cost) {
  const stars = body.stars === null ? gap(find("rating"), "Rating") ?? "not rated yet" : [icon("star", { size: 12 }), body.stars.toFixed(1)];
  const stock = body.stock === null ? gap(find("stock"), "Stock") ?? stockWords(null) : [icon(body.stock === "out_of_stock" ? "missing" : "ok", { size: 12 }), stockWords(body.stock)];
  return [
    el("p", { class: "muted" }, body.brand),
    el("p", { class: "big" }, price(cost, find("price"))),
    el("p", { class: "pair" }, el("span", { class: "rating" }, stars), el("span", { class: `stock is-${body.stock ?? "unknown"}` }, stock)),
  ];
}

function drawReviews({ reviews }, part) {
  const said = ({ author, stars, title, text }) =>
    el("li", { class: "review" },
      el("p", {}, el("span", { class: "rating" }, icon("star", { size: 12 }), String(stars)), el("b", {}, title)),
      el("p", {}, text),
      el("p", { class: "muted" }, author));
  return [el("h2", { id: "reviews" }, "Reviews"), reviews.length ? el("ul", {}, reviews.map(said)) : place(part, "Reviews", "No reviews yet")];
}

function drawRelated({ related }, part) {
  return [el("h2", { id: "related" }, "Goes with it"), related.length ? el("ul", { class: "scroller" }, related.map(card)) : place(part, "Products that go with it", "Nothing goes with it")];
}
