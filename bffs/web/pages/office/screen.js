// A screen: loads one resource, draws it, and goes on showing the last one when that fails.

import { unreadable } from "../shared/answer.js";
import { el, replace } from "../shared/dom.js";
import { ago } from "../shared/format.js";
import { failure } from "../shared/states.js";
import { signInAddress } from "../shared/viewer.js";
import { skeleton } from "./table.js";

const PATIENCE_MS = 150; // a skeleton that flashes is worse than none
const TICK_MS = 5000; // how often a sentence with an age is renewed

export class Screen {
  // `what` is the name in sentences, `draw(body, facts)` returns nodes, `rows` is the height of the
  // skeleton in rows, `needs` what every answer has (see answer.js). The last screen is saved under `key`
  // while `isSaved`.
  constructor(app, { what, key, draw, rows = 8, isSaved = true, needs = [] }) {
    Object.assign(this, { app, what, key, draw, rows, isSaved, needs });
    this.notice = el("div", { class: "notices" });
    this.body = el("div", { class: "screen-body" });
    this.node = el("div", { class: "screen" }, this.notice, this.body);
    this.last = null; // {body, facts, at}
    this.problem = null;
  }

  // Loads `path`; with `fresh` the gateway's caches are bypassed.
  async load(path, { fresh = false } = {}) {
    this.path = path;
    this.last ??= this.saved();
    if (this.last && !this.isDrawn) this.showSaved();
    this.node.setAttribute("aria-busy", "true");
    const timer = setTimeout(() => this.wait(), PATIENCE_MS);
    const reply = await this.app.get(path, { fresh, screen: this.what, needs: this.needs });
    clearTimeout(timer);
    this.node.removeAttribute("aria-busy");
    if (reply.ok) this.succeed(reply);
    else this.fail(reply);
    return reply;
  }

  again({ fresh = true } = {}) {
    return this.load(this.path, { fresh });
  }

  // An answer that can't be drawn lacks something: then the one before stays, and Try again.
  succeed({ body, facts }) {
    const before = this.last;
    const problem = this.problem;
    this.problem = null;
    this.last = { body, facts, at: facts.at };
    try {
      this.show();
    } catch (error) {
      console.warn(error);
      Object.assign(this, { last: before, problem });
      const result = unreadable(facts);
      this.app.report(result.facts);
      this.fail(result);
      return;
    }
    this.isOld = false;
    if (this.isSaved) this.app.screens.put(this.key, { body, facts });
  }

  showSaved() {
    try {
      this.show();
    } catch (error) {
      console.warn(error);
      this.app.screens.drop(this.key);
      this.last = null;
    }
  }

  fail({ problem }) {
    this.problem = problem;
    this.isOld = this.last !== null;
    if (!this.last || [401, 403, 404].includes(problem.status)) {
      this.last = null;
      this.isDrawn = true;
      replace(this.body);
    }
    this.showNotice();
  }

  saved() {
    const found = this.isSaved ? this.app.screens.get(this.key) : null;
    return found && { ...found.value, at: found.at };
  }

  wait() {
    if (this.last) return;
    this.isDrawn = true;
    replace(this.notice);
    replace(this.body, skeleton(this.rows, this.what));
  }

  show() {
    this.isDrawn = true;
    replace(this.body, this.draw(this.last.body, this.last.facts));
    this.showNotice();
  }

  // Draws again what is there, as after sorting.
  redraw() {
    if (this.last) this.show();
  }

  showNotice() {
    clearTimeout(this.timer);
    const isOffline = ["offline", "unreachable"].includes(this.problem?.code);
    this.node.classList.toggle("has-last", this.last !== null);
    this.notice.classList.toggle("is-below", isOffline);
    this.body.classList.toggle("is-dimmed", this.problem !== null && !isOffline);
    if (!this.problem) {
      replace(this.notice);
      return;
    }
    const isFinal = [403, 404].includes(this.problem.status);
    const retry = isFinal ? null : () => this.again();
    const savedAt = this.last?.at ?? null;
    const notice = failure(this.what, this.problem, { retry, savedAt: isOffline ? null : savedAt });
    if (isOffline && savedAt !== null) notice.querySelector("p").append(`Above is the screen of ${ago(savedAt)}.`);
    if (this.problem.status === 401) notice.append(el("a", { class: "button", href: signInAddress(this.app.customer.id), target: "_top" }, "Sign in"));
    replace(this.notice, !this.last && el("h1", { class: "failed-title" }, this.what), notice);
    if (this.last) this.timer = setTimeout(() => this.node.isConnected && this.showNotice(), TICK_MS);
  }

}
