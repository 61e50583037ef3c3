// Signing in, and pages that do not exist.
import { el, icon } from "../shared/dom.js";
import { signInChoices } from "./head.js";
import { link } from "./links.js";

export const signInPage = {
  name: "sign-in",
  subject: "the sign-in",
  title: () => "Sign in",
  draw: ({ shop, route }) => {
    const wanted = route.query.get("next") ?? "/";
    const next = wanted.startsWith("/") && !wanted.startsWith("//") ? wanted : "/";
    // Who was sent here to sign in, and is signed in, goes on at once.
    if (shop.customer && route.query.has("next")) queueMicrotask(() => shop.go(next, { isReplaced: true }));
    if (shop.customer) {
      return el("section", { class: "panel" }, icon("ok", { size: 20, class: "c-ok" }), el("h1", {}, `You are signed in as ${shop.customer.name}`), el("div", { class: "row" }, el("a", { class: "button is-large is-main", href: link(next) }, "Go on"), el("a", { class: "button is-large", href: link("/orders") }, "Your orders")));
    }
    return el("section", { class: "panel" }, icon("user", { size: 20 }), el("h1", {}, "Sign in"), el("p", {}, "Your cart, your orders and your deals are shown when you are signed in. This page gets a session cookie and no token."), signInChoices(shop, link(next)));
  },
};

export const unknownPage = {
  name: "unknown",
  subject: "this page",
  title: () => "No such page",
  draw: ({ route }) => el("section", { class: "panel" }, icon("missing", { size: 20 }), el("h1", {}, "There is no such page"), el("p", {}, "No page of the shop has the address ", el("code", {}, link(route.path)), "."), el("div", { class: "row" }, el("a", { class: "button is-large is-main", href: link("/") }, "Go to the home page"), el("a", { class: "button is-large", href: link("/search") }, "All products"))),
};
