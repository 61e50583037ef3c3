// The looks of a screen that is not simply there: loading, empty, failed, old, signed out.
import { sayWhen } from "./answer.js";
import { el, icon } from "./dom.js";
import { ago, words } from "./format.js";
import { sayReason } from "./parts.js";

/** Returns why a screen is not there: "Home could not be loaded: profile failed (no answer)." */
export function sayProblem(what, problem) {
  return [sayCause(what, problem), sayWhen(problem)].filter(Boolean).join(" ");
}

function sayCause(what, { code, title, detail, part, status }) {
  if (status === 0) return `${what} could not be loaded. ${title}.`;
  if (status === 401) return `${what} is shown to customers who are signed in.`;
  if (status === 403) return `${what} is not shown: this sign-in is not allowed to see it.`;
  if (status === 404) return detail || `${what} does not exist.`;
  if (part) return `${what} could not be loaded: ${words(part)} failed (${sayReason(code)}).`;
  return `${what} could not be loaded: ${detail || title}.`;
}

/**
 * Draws a failure: sentence, Try again, and what else helps. `savedAt` is when the screen behind it, if any,
 * was loaded.
 */
export function failure(what, problem, { retry = null, savedAt = null } = {}) {
  const state = ["offline", "unreachable"].includes(problem.code) ? "offline" : problem.status === 403 ? "forbidden" : "failed";
  const age = savedAt === null ? null : el("span", { class: "muted" }, `Below is the screen of ${ago(savedAt, Date.now()).replace("just now", "a moment ago")}.`);
  const again = retry && el("button", { class: "button", id: "retry", type: "button", onclick: retry }, icon("retry"), "Try again");
  return el(
    "div",
    { class: `notice is-${state}`, role: "status" },
    icon(state, { size: 14 }),
    el("p", {}, sayProblem(what, problem), " ", age),
    again,
  );
}

/** Draws what stands where nothing is: a sentence, and a link or a button that helps. */
export function empty(sentence, ...actions) {
  return el("div", { class: "empty" }, el("p", {}, sentence), ...actions);
}

/** Draws rows of the height that a screen will have; `rows` are classes of shop.css: line, title, picture. */
export function skeleton(...rows) {
  return el("div", { class: "skeleton", "aria-hidden": "true" }, rows.map((row) => el("span", { class: `bone is-${row}` })));
}

/** Returns a badge of the state of a whole screen: complete, degraded, failed, offline. */
export function stateBadge(state) {
  return el("span", { class: `state is-${state}` }, icon(state, { size: 12 }), state);
}
