// Who looks: the first visit signs in as a customer of the demo; who signs out chooses one.
import { el, icon, replace } from "../shared/dom.js";
import { loadViewer, ONLY_HERE, sayRefusal, signIn, signInAddress, signOut, VISITED } from "../shared/viewer.js";

const TRIED = "shop:sign-in"; // whom the last try was to sign in
const OUTAGES = new Set(["provider_unavailable", "deadline_exceeded", "circuit_open", "unavailable"]);

/**
 * Returns whether the page is about to leave for the sign-in of the first customer: on the first visit only,
 * so that all three clients show something at once. After a sign-out, and after a sign-in that failed, it stays.
 */
export async function welcome(viewer, config) {
  const isFirst = localStorage.getItem(VISITED) === null;
  localStorage.setItem(VISITED, "1");
  const [first] = config.customers;
  if (!isFirst || viewer.customer || viewer.isOffline || !first || loginError()) return false;
  await begin(first.id);
  return true;
}

async function begin(customer) {
  sessionStorage.setItem(TRIED, customer);
  await signIn(customer);
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

/**
 * Returns a function that takes [{name, state}] with each change of services, and says whether `identity` is
 * back: it runs again, or an outage was what the sign-in failed by, and it runs by now.
 */
export function watchIdentity(reason) {
  let before = OUTAGES.has(reason) ? "stopped" : "running";
  return (services) => {
    const now = services.find(({ name }) => name === "identity")?.state ?? "unknown";
    const isBack = now === "running" && before !== "running";
    if (now !== "unknown") before = now;
    return isBack;
  };
}

/**
 * Shows a button per customer, above the frames. Returns a function that takes the services whenever they
 * change: an error of the sign-in goes when `identity` is back.
 */
export function showPeople(panel, viewer, config) {
  const error = sayError(viewer);
  panel.hidden = false;
  replace(
    panel,
    el("div", {}, el("h2", {}, "Who is looking?"), el("p", { class: "muted" }, "A home screen belongs to a customer. Choose one, without a password:")),
    el("ul", {}, config.customers.map((one) => el("li", {}, personOf(one)))),
    !config.customers.length && el("a", { class: "button is-main is-large", href: signInAddress() }, "Sign in"),
    error,
    !error && leftOpen() && el("p", { class: "error", role: "status" }, leftOpen()),
  );
  const isBack = watchIdentity(viewer.problem ? "unavailable" : loginError());
  return (services) => {
    if (!error || !isBack(services)) return;
    if (viewer.problem) askAgain();
    else forgetError();
  };
}

// A retry of what failed: to ask who is signed in, or to sign in.
function sayError(viewer) {
  const text = viewer.problem ? `Sign-in is not available: ${viewer.problem}.` : sayRefusal();
  if (!text) return null;
  const retry = () => (viewer.problem ? askAgain() : begin(sessionStorage.getItem(TRIED) ?? ""));
  return el("p", { class: "error", id: "sign-in-error", role: "alert" }, text, el("button", { type: "button", class: "button is-small", id: "sign-in-again", onclick: retry }, icon("retry"), "Try again"));
}

async function askAgain() {
  const { problem, isOffline } = await loadViewer();
  if (!problem && !isOffline) location.reload();
}

// A page that is loaded again does not say it once more.
function forgetError() {
  const here = new URL(location.href);
  here.searchParams.delete("login_error");
  history.replaceState(history.state, "", here);
  document.getElementById("sign-in-error")?.remove();
}

function personOf({ id, name, note }) {
  const initials = name.split(" ").map(([letter]) => letter).join("").slice(0, 2);
  return el(
    "button",
    { type: "button", class: "button is-large person", onclick: () => begin(id) },
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
