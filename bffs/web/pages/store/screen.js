// One page at a time: it is loaded with one query, drawn, and reported to the start page.
import { unreadable } from "../shared/answer.js";
import { el, icon, replace } from "../shared/dom.js";
import { ago } from "../shared/format.js";
import { isFramed, report } from "../shared/frame.js";
import { partOf } from "../shared/parts.js";
import { savedScreens } from "../shared/saved.js";
import { mayShow } from "../shared/viewer.js";
import { signInChoices } from "./head.js";
import { link } from "./links.js";
import { button } from "./pieces.js";
import { problemWords } from "./words.js";

const SKELETON_AFTER_MS = 150;
const MOST_REMEMBERED = 30;

/** Shows pages in `main`; what was loaded is remembered, for the way back and for the time without a network. */
export class Screen {
  constructor(shop, main) {
    this.shop = shop;
    this.main = main;
    this.remembered = new Map();
    this.scrolls = new Map();
    this.links = new Map();
    this.shown = 0;
    this.here = null;
    this.isHeld = false; // what is shown is not to be loaded again by itself
  }

  /** Shows a page; `isBack` restores what was there, `isRefresh` leaves it until the new one has come. */
  async show(page, route, { isBack = false, isRefresh = false } = {}) {
    const number = ++this.shown;
    const isCurrent = () => number === this.shown;
    this.here = { page, route };
    this.isHeld = false;
    this.main.setAttribute("aria-busy", "true");
    const before = this.remembered.get(route.key);
    let waiting = 0;
    if (isBack && before) this.tryTo(() => this.draw(page, route, before, { isBack }));
    if (isBack && before?.body.isGrown) {
      this.main.setAttribute("aria-busy", "false"); // a longer list than one request would bring
      return;
    }
    if (!isRefresh && !(isBack && before)) waiting = setTimeout(() => this.drawSkeleton(page), SKELETON_AFTER_MS);
    const answer = page.query ? await this.load(page, route, isRefresh) : { ok: true, body: {}, facts: null };
    const isTheirs = await mayShow(); // an answer of another customer's session is neither drawn nor saved
    clearTimeout(waiting);
    if (!isCurrent() || !isTheirs) return;
    this.main.setAttribute("aria-busy", "false");
    if (answer.facts) report(answer.facts);
    const isThere = Boolean(isBack && before) || isRefresh;
    const isGood = answer.ok || isPartly(page, answer);
    if (!isGood) this.drawProblem(page, route, answer, { isThere });
    else if (!this.tryTo(() => this.drawAnswer(page, route, answer, { isBack, isThere }))) this.drawMisread(page, route, answer, { isThere });
  }

  // Draws; what lacks something that the page needs can't be.
  tryTo(draw) {
    try {
      draw();
      return true;
    } catch (error) {
      console.warn(error);
      return false;
    }
  }

  drawMisread(page, route, { facts }, options) {
    const result = unreadable(facts);
    report(result.facts);
    this.drawProblem(page, route, result, options);
  }

  load(page, route, isRefresh) {
    const { client, customer } = this.shop;
    const { required = [], optional = [], needs = [] } = page;
    const variables = page.variables?.(route, Boolean(customer)) ?? {};
    const options = { fresh: isFramed || isRefresh, required, optional, needs, screen: "page" };
    const query = typeof page.query === "function" ? page.query(Boolean(customer)) : page.query;
    return client.graphql(query, variables, options);
  }

  drawAnswer(page, route, answer, { isBack, isThere }) {
    const { body, facts } = answer;
    const loaded = { body, facts, at: Date.now() };
    this.draw(page, route, loaded, { isBack: isBack && !isThere, isThere });
    this.remember(route.key, loaded);
    if (page.query) this.saved().put(route.key, loaded);
  }

  draw(page, route, { body, facts, at }, { isBack = false, isThere = false, age = null } = {}) {
    const { shop, main } = this;
    const part = (name) => (facts ? partOf(facts, name) : undefined);
    if (page.query && age === null) shop.setCart(page.cart ? page.cart(body) : null, part("cart"));
    const view = { shop, body, part, route, at, redraw: () => this.refresh(), isSaved: age !== null };
    const followed = isThere ? focusedLink(main) : null;
    replace(main, el("div", { class: `page is-${page.name}${age === null ? "" : " is-old"}` }, age, page.draw(view)));
    if (followed) linkTo(main, followed)?.focus({ preventScroll: true });
    this.settle(page.title(body, route), { isBack, isThere });
  }

  drawSkeleton(page) {
    replace(this.main, el("div", { class: `page is-${page.name} is-loading` }, el("p", { class: "sr" }, "Loading"), page.skeleton?.() ?? null));
    if (this.here.route.isNew) scrollTo(0, 0);
  }

  // The last screen stays, dimmed, below what went wrong; without one there is only that.
  drawProblem(page, route, { problem, facts }, { isThere }) {
    const retry = () => this.refresh();
    const old = this.remembered.get(route.key) ?? savedOf(this.saved().get(route.key));
    if (old && problem.status !== 404 && problem.status !== 401) {
      const isDrawn = this.tryTo(() => {
        this.draw(page, route, old, { isThere: true, age: failure(page.subject, problem, { retry, at: old.at }) });
        if (!isThere) this.settle(page.title(old.body, route), {});
      });
      if (isDrawn) return;
      this.remembered.delete(route.key);
      this.saved().drop(route.key);
    }
    const said = problemWords(problem, page.subject);
    const state = facts?.state === "offline" ? "offline" : "failed";
    replace(this.main, el("div", { class: "page is-problem" }, problemPanel(this.shop, said, { retry, state, requestId: facts?.requestId })));
    this.settle(said.title, { isThere });
  }

  /** Loads the present page again, in its place. */
  refresh() {
    return this.show(this.here.page, this.here.route, { isRefresh: true });
  }

  // Title, place and focus, as the browser does it between documents.
  settle(title, { isBack, isThere }) {
    document.title = `${title} · shop`;
    if (isThere) return;
    const { key } = this.here.route;
    if (isBack) {
      scrollTo(0, this.scrolls.get(key) ?? 0);
      const followed = this.links.get(key);
      ((followed && linkTo(this.main, followed)) ?? this.main).focus({ preventScroll: true });
    } else if (this.here.route.isNew) {
      scrollTo(0, 0);
      this.main.focus({ preventScroll: true });
    }
    if (this.here.route.isNew || isBack) this.shop.announce(title);
  }

  remember(key, loaded) {
    this.remembered.delete(key);
    this.remembered.set(key, loaded);
    if (this.remembered.size > MOST_REMEMBERED) this.remembered.delete(this.remembered.keys().next().value);
  }

  saved() {
    return savedScreens("store", this.shop.customer?.id ?? "");
  }
}

function focusedLink(main) {
  const { activeElement } = document;
  return main.contains(activeElement) ? activeElement.getAttribute("href") : null;
}

function linkTo(main, href) {
  return main.querySelector(`a[href="${CSS.escape(href)}"]`);
}

function savedOf(found) {
  return found ? { ...found.value, at: found.at } : null;
}

// What this viewer may not see leaves the rest of the screen alone.
function isPartly(page, { problem, body }) {
  return problem?.status === 403 && Boolean(page.isPartly?.(body));
}

function failure(subject, problem, { retry, at }) {
  const { title, text } = problemWords(problem, subject);
  const isOffline = ["offline", "unreachable"].includes(problem.code);
  const notice = el(
    "div",
    { class: `notice is-${isOffline ? "offline" : "failed"}`, role: "status" },
    icon(isOffline ? "offline" : "failed", { size: 16 }),
    el("p", {}, el("b", {}, `${title}.`), ` ${text} You see this page as it was ${ago(at)}.`),
    button("Try again", { id: "retry", onclick: retry }),
  );
  return el("div", { class: "float" }, notice); // over the end of the screen, which stays where it is
}

function problemPanel(shop, { title, text, canRetry, needsSignIn }, { retry, state, requestId }) {
  return el(
    "section",
    { class: "panel" },
    icon(needsSignIn ? "user" : state, { size: 20, class: needsSignIn ? "" : `c-${state}` }),
    el("h1", {}, title),
    el("p", {}, text),
    needsSignIn && signInChoices(shop),
    el("div", { class: "row" }, canRetry && button("Try again", { kind: "main", id: "retry", onclick: retry }), shop.route.path !== "/" && el("a", { class: "button is-large", href: link("/") }, "Go to the home page")),
    requestId && el("p", { class: "fine" }, "Request ", el("code", {}, requestId)),
  );
}
