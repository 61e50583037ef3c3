// You: who is signed in, the points, other customers, signing out.
import { el, icon, replace } from "../shared/dom.js";
import { redraw } from "./redraw.js";
import { Screen } from "./screen.js";
import { sentence } from "./words.js";

/** Opens the screen of the customer in `node`. */
export function openYou(app, node) {
  const who = el("div", { class: "who" });
  const others = el("section", { "aria-labelledby": "others" }, el("h2", { id: "others" }, "Other customers"), el("ul", { class: "people" }, otherCustomers(app)));
  const wrong = el("p", { class: "wrong", role: "status" });
  const out = el("button", { type: "button", class: "button is-wide", onclick: () => app.signOut().catch(({ message }) => replace(wrong, message)) }, "Sign out");
  const content = [who, el("a", { class: "pill", href: "#/orders" }, icon("orders"), el("span", {}, "Your orders"), icon("next", { class: "end" })), others, out, wrong];

  const screen = new Screen(app, who, {
    title: "Your profile",
    saves: "home",
    load: app.loadHome,
    draw(body) {
      if (body.cart_count !== undefined) app.shell.setCart(body.cart_count);
      if (body.points !== undefined) redraw(who, [body.name, body.tier, body.points], () => profile(app.customer, body));
    },
    drawSkeleton: () => redraw(who, "bones", () => [el("span", { class: "bone is-avatar" }), el("span", { class: "bone is-two" })]),
  });
  node.append(...content);
  return screen;
}

function profile(customer, { tier, points }) {
  return [
    el("span", { class: "avatar", "aria-hidden": "true" }, initials(customer.name)),
    el("div", {}, el("p", {}, el("b", {}, customer.name)), el("p", { class: "muted" }, `${sentence(tier)} member`), el("p", { class: "muted" }, `${points.toLocaleString("en")} points`)),
  ];
}

const initials = (name) => name.split(" ").map((word) => word[0]).slice(0, 2).join("");

function otherCustomers(app) {
  const people = app.config.customers.filter(({ id }) => id !== app.customer?.id);
  return people.map(({ id, name, note }) => el("li", {}, el("button", { type: "button", class: "person", onclick: () => app.signIn(id) }, el("span", { class: "avatar", "aria-hidden": "true" }, initials(name)), el("span", {}, name, note && el("span", { class: "muted" }, note)))));
}

/** Opens what is there before anybody is signed in; in a frame the start page has the buttons. */
export function openSignIn(app, node, problem = null) {
  app.shell.setTitle("Sign in");
  app.shell.setCart(undefined);
  const lead = app.isFramed ? "The phone shows the home screen of the customer who signs in on this page." : "Choose a customer of this demo shop. There is no password.";
  node.append(el("p", { class: problem ? "wrong" : "lead" }, problem ? `${problem}.` : lead));
  if (problem) node.append(el("button", { id: "retry", type: "button", class: "button is-wide", onclick: () => location.reload() }, "Try again"));
  if (!app.isFramed) node.append(el("ul", { class: "people" }, otherCustomers(app)));
}
