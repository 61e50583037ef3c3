// Who looks: the first visit signs in as a customer of the demo; who signs out chooses one.
import { el, replace } from "../shared/dom.js";
import { ONLY_HERE, signIn, signInAddress, signOut, VISITED } from "../shared/viewer.js";

/**
 * Returns whether the page is about to leave for the sign-in of the first customer: on the first visit only,
 * so that all three clients show something at once. After a sign-out, and after a sign-in that failed, it stays.
 */
export async function welcome(viewer, config) {
  const isFirst = localStorage.getItem(VISITED) === null;
  localStorage.setItem(VISITED, "1");
  const [first] = config.customers;
  if (!isFirst || viewer.customer || viewer.isOffline || !first || loginError()) return false;
  await signIn(first.id);
  return true;
}

/** Returns why a sign-in failed, in words of the address: "access_denied"; empty if none did. */
export function loginError() {
  return new URLSearchParams(location.search).get("login_error") ?? "";
}

/** Returns what a sign-out could not do: end the session at the provider; empty if none did. */
function leftOpen() {
  const isHere = new URLSearchParams(location.search).has(ONLY_HERE);
  return isHere && "You are signed out here. The identity provider does not answer, so its own session could not be ended.";
}

/** Shows a button per customer, above the frames. */
export function showPeople(panel, viewer, config) {
  const error = viewer.problem ?? (loginError() && `The sign-in did not work: ${loginError().replaceAll("_", " ")}.`);
  panel.hidden = false;
  replace(
    panel,
    el("div", {}, el("h2", {}, "Who is looking?"), el("p", { class: "muted" }, "A home screen belongs to a customer. Choose one, without a password:")),
    el("ul", {}, config.customers.map((one) => el("li", {}, personOf(one)))),
    !config.customers.length && el("a", { class: "button is-main is-large", href: signInAddress() }, "Sign in"),
    error && el("p", { class: "error", role: "alert" }, error),
    !error && leftOpen() && el("p", { class: "error", role: "status" }, leftOpen()),
  );
}

function personOf({ id, name, note }) {
  const initials = name.split(" ").map(([letter]) => letter).join("").slice(0, 2);
  return el(
    "button",
    { type: "button", class: "button is-large person", onclick: () => signIn(id) },
    el("span", { class: "avatar", "aria-hidden": "true" }, initials),
    el("span", {}, el("b", {}, name), note && el("small", {}, note)),
  );
}

/** Returns who is signed in, with what signs out; null for an anonymous viewer. */
export function account(viewer) {
  if (!viewer.customer) return null;
  const trouble = el("span", { class: "error", role: "alert" });
  const leave = async () => {
    try {
      location.href = await signOut();
    } catch (error) {
      trouble.textContent = error.message;
    }
  };
  return [
    el("span", { class: "who" }, "Signed in as ", el("b", {}, viewer.customer.name)),
    el("button", { type: "button", class: "link", id: "sign-out", onclick: leave }, "Sign out"),
    trouble,
  ];
}
