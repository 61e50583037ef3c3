// The page of one product: pictures, what it costs, variants, stock, reviews, and what goes with it.
import { el, icon } from "../shared/dom.js";
import { day } from "../shared/format.js";
import { buyBox } from "./buy-box.js";
import { link } from "./links.js";
import { ageOf, bone, card, emptyShelf, fiveStars, heading, isGone, missing, picture, shelf, stars } from "./pieces.js";
import { PRODUCT } from "./queries.js";

export const product = {
  name: "product",
  subject: "this product",
  query: PRODUCT,
  needs: ["product.title", "product.variants[]", "product.images[]"],
  optional: ["cart"],
  variables: ({ params }, mine) => ({ id: params.id, mine }),
  title: ({ product: one }) => one.title,
  cart: (body) => body.cart,
  draw,
  skeleton: () => [
    el("div", { class: "crumbs" }, bone("short")),
    el("div", { class: "above" }, el("div", { class: "gallery" }, el("span", { class: "shot bone" })), el("div", { class: "facts" }, bone("short"), bone("title"), bone("wide"), bone("price"), bone("wide"), bone("wide"))),
    heading("What goes with it"),
    emptyShelf(4),
  ],
};

function draw(view) {
  const { product: one } = view.body;
  return [
    el("nav", { class: "crumbs", "aria-label": "Where this is" }, el("a", { href: link("/") }, "shop"), icon("next", { size: 10 }), el("a", { href: link(`/categories/${one.category.id}`) }, one.category.name)),
    above(view),
    el("div", { class: "below" }, about(one), reviews(view)),
    related(view),
  ];
}

function above(view) {
  const { node, choose } = gallery(view.body.product.images);
  return el("div", { class: "above" }, node, facts(view, ({ imageIndex }) => choose(imageIndex)));
}

function gallery(images) {
  const frame = el("div", { class: "big" });
  const small = images.map((image, number) =>
    el("button", { type: "button", "aria-label": `Picture ${number + 1} of ${images.length}`, onclick: () => choose(number) }, picture(image, { size: 96 })),
  );
  function choose(number) {
    const image = images[number] ?? images[0];
    frame.replaceChildren(picture(image, { size: 640, alt: image?.alt, eager: true }));
    for (const [at, node] of small.entries()) node.setAttribute("aria-current", String(at === number));
  }
  return { node: el("div", { class: "gallery" }, frame, images.length > 1 && el("div", { class: "thumbs" }, small)), choose };
}

function facts(view, chosen) {
  const { product: one } = view.body;
  return el(
    "div",
    { class: "facts" },
    el("p", { class: "brand" }, one.brand.name),
    el("h1", {}, one.title),
    el("p", { class: "subtitle" }, one.subtitle),
    el("p", { class: "line" }, el("a", { class: "to-reviews", href: "#reviews", onclick: toReviews }, stars(one.rating))),
    buyBox(view, { chosen }),
  );
}

// The router leaves links with # to the browser; the focus goes with them.
function toReviews(event) {
  event.preventDefault();
  const target = document.getElementById("reviews");
  target.scrollIntoView({ block: "start" });
  target.focus({ preventScroll: true });
}

function about(one) {
  const rows = one.attributes.map(({ label, value, unit }) => el("div", {}, el("dt", {}, label), el("dd", {}, [value, unit].filter(Boolean).join(" "))));
  return el("section", { class: "about" }, el("h2", {}, "About it"), one.description.split("\n\n").map((text) => el("p", {}, text)), rows.length > 0 && el("dl", {}, rows));
}

function reviews({ body: { product: one }, part }) {
  const state = part("reviews");
  const head = el("div", { class: "heading" }, el("h2", { id: "reviews", tabindex: "-1" }, "Reviews"), ageOf(state));
  if (isGone(one.reviews, state)) return el("section", { class: "reviews" }, head, missing(state, "Reviews are not available at the moment.", { class: "is-reviews" }));
  if (one.reviews.length === 0) return el("section", { class: "reviews" }, head, el("p", { class: "muted" }, "There are no reviews yet."));
  return el("section", { class: "reviews" }, head, average(one.rating), el("ul", {}, one.reviews.map(review)));
}

function average(rating) {
  if (!rating?.count) return null;
  return el("p", { class: "average" }, el("b", {}, rating.average.toFixed(1)), fiveStars(rating.average), el("span", { class: "muted" }, `${rating.count.toLocaleString("en")} ${rating.count === 1 ? "review" : "reviews"}`));
}

function review({ author, rating, title, body, createdAt }) {
  return el("li", {}, fiveStars(rating), el("h3", {}, title), el("p", {}, body), el("p", { class: "muted" }, `${author.name}, ${day(createdAt)}`));
}

function related({ body: { product: one }, part }) {
  const state = part("related");
  return [
    heading("What goes with it", state),
    isGone(one.related, state) ? missing(state, "Related products are not available at the moment.", { class: "is-shelf" }) : shelf(one.related.map((other) => card(other))),
  ];
}
