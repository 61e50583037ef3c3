// One screen: it loads, shows the last copy meanwhile, says what failed, and tries again by itself.
import { unreadable } from "../shared/answer.js";
import { el, icon } from "../shared/dom.js";
import { ago } from "../shared/format.js";
import { redraw } from "./redraw.js";
import { Retry } from "./retry.js";
import { cause, failure } from "./words.js";

const BLANK_MS = 150;
const SLOW_MS = 1000;
const HEAL_MS = 10_000;

/**
 * A screen of `spec`:
 *
 * - `title` names it in sentences; `lister` is the service of its critical part `page`
 * - `saves`, if any, is the name under which its last answer is stored
 * - `load({fresh, onPart})` returns what a client returns
 * - `draw(body, parts, isWhole)` shows an answer; `parts` are those of the facts
 * - `drawSkeleton()` shows that it loads, at the height of what comes
 */
export class Screen {
  constructor(app, node, spec) {
    Object.assign(this, { app, node, spec, body: null, parts: [], at: null, number: 0 });
    this.retry = new Retry(() => this.refresh());
  }

  /** Shows the last copy, if there is one, and loads. */
  open() {
    const saved = this.spec.saves ? this.app.saved.get(this.spec.saves) : null;
    const isShown = saved && this.#tryTo(() => this.#show(saved.value.body, saved.value.parts, saved.at));
    if (saved && !isShown) this.app.saved.drop(this.spec.saves);
    if (!isShown) this.blank = setTimeout(() => this.spec.drawSkeleton?.(), BLANK_MS);
    return this.refresh();
  }

  /** Loads again; with `fresh` past the caches of the gateway. */
  async refresh({ fresh = this.app.isFramed } = {}) {
    const number = ++this.number;
    clearTimeout(this.slow);
    this.slow = setTimeout(() => this.#sayLoading(), SLOW_MS);
    const onPart = (body, parts) => number === this.number && this.#showPart(body, parts);
    const result = await this.spec.load({ fresh, onPart });
    if (number !== this.number) return;
    clearTimeout(this.slow);
    this.app.report(result.facts);
    if (!result.ok) this.#fail(result);
    else if (!this.#tryTo(() => this.#succeed(result))) this.#misread(result);
  }

  /** Loads something else, such as the products of other words; what was shown stays until then. */
  restart() {
    Object.assign(this, { body: null, parts: [], at: null });
    return this.tryAgain();
  }

  /** Shows an answer that another request brought, such as the cart after a write. */
  accept(result) {
    this.number += 1;
    if (!this.#tryTo(() => this.#succeed(result))) this.#misread(result);
  }

  // Draws; an answer that lacks something leaves what was there.
  #tryTo(draw) {
    const before = { body: this.body, parts: this.parts, at: this.at };
    try {
      draw();
      return true;
    } catch (error) {
      console.warn(error);
      Object.assign(this, before);
      return false;
    }
  }

  #misread({ facts }) {
    const result = unreadable(facts);
    this.app.report(result.facts);
    this.#fail(result);
  }

  close() {
    this.number += 1;
    clearTimeout(this.blank);
    clearTimeout(this.slow);
    this.retry.stop();
    this.app.shell.say(null);
    this.node.classList.remove("is-old");
  }

  #succeed({ body, facts }) {
    this.#show(body, facts.parts, facts.at);
    this.node.classList.remove("is-old");
    this.app.shell.say(null);
    if (this.spec.saves) this.app.saved.put(this.spec.saves, { body, parts: facts.parts });
    this.retry.stop();
    if (facts.state !== "complete" && !this.app.isFramed) this.retry.plan(HEAL_MS); // the start page refreshes frames
  }

  #show(body, parts, at) {
    clearTimeout(this.blank);
    Object.assign(this, { body, parts, at });
    this.spec.draw(body, parts, true);
  }

  #showPart(some, parts) {
    clearTimeout(this.blank);
    this.#tryTo(() => this.spec.draw({ ...this.body, ...some }, this.body ? this.parts : parts, this.body !== null));
  }

  #sayLoading() {
    if (this.body) this.app.shell.say(() => `${asOf(this.at)} Loading …`);
  }

  #fail({ status, problem, facts }) {
    if (status === 401) return this.app.expire();
    if (status === 403 || status === 404 || status === 422) return this.#refuse(status, problem);
    const isOffline = facts.state === "offline";
    this.retry.plan((problem?.retryAfter ?? 0) * 1000);
    const again = { label: "Try again", run: () => this.tryAgain() };
    if (!this.body) return this.#explain(isOffline ? offlineWords(problem) : this.#failure(problem), again, isOffline ? "offline" : "failed");
    this.node.classList.toggle("is-old", !isOffline);
    const what = isOffline ? offlineWords(problem) : this.#failure(problem);
    this.app.shell.say(() => `${what} ${asOf(this.at)}`, { ...again, isFailure: !isOffline });
  }

  #failure(problem) {
    return failure(this.spec.title, problem, this.spec.lister);
  }

  /** Tries at once, for somebody who does not want to wait. */
  tryAgain() {
    this.retry.stop();
    return this.refresh();
  }

  #refuse(status, problem) {
    const what = this.spec.title.toLowerCase();
    const words = {
      403: `This account may not see this: ${what}.`,
      404: cause(problem, this.spec.lister) + ".",
      422: cause(problem, this.spec.lister) + ".",
    };
    this.#explain(words[status], null, status === 403 ? "forbidden" : "missing");
  }

  #explain(text, action, shape) {
    clearTimeout(this.blank);
    this.app.shell.say(null);
    redraw(this.node, [text, this.number], () => explanation(text, action, shape));
  }
}

function asOf(at) {
  const age = ago(at);
  return `As of ${age === "just now" ? "a moment ago" : age}.`;
}

function offlineWords(problem) {
  return problem?.code === "offline" ? "No connection." : "The shop does not answer.";
}

/** What a whole screen says in place of its content, with a button if something can be done. */
export function explanation(text, action, shape = "offline") {
  const button = action && el("button", { type: "button", class: "button", onclick: action.run }, action.label);
  return el("div", { class: "explanation" }, icon(shape, { size: 28, class: `is-${shape} mark` }), el("p", {}, text), button);
}
