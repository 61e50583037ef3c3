// What became of a purchase (POST /v1/checkout), and the key under which it is sent again.

import { sayWhen } from "../shared/answer.js";

const STEPS = { quote: "Fix the price", reserve: "Hold the stock", charge: "Take the money", place: "Place the order" };

const STATES = {
  done: "done",
  failed: "failed",
  undone: "undone",
  "not-undone": "not undone yet",
  "not-started": "not started",
  unknown: "not known yet",
};

// Final refusals: the gateway has undone what was done, and answers the same key the same way.
const FINAL = new Set([400, 402, 403, 404, 409, 410, 413, 415, 422]);

// `reply` is {status, body, problem}; status 0 means that no answer came. `wasOpen` says that the
// outcome of an earlier request with the same key is not known. Returns {kind, sentence, steps,
// receipt}: kind is bought, refused, again (nothing was done, may be repeated) or unknown.
export function purchaseOutcome(reply, wasOpen = false) {
  if (reply.status === 201 || reply.status === 200) return { kind: "bought", receipt: reply.body, steps: [], sentence: "" };
  const problem = reply.problem ?? reply.body ?? {};
  const steps = (problem.steps ?? []).map(({ step, state }) => ({ name: STEPS[step] ?? step, state, word: STATES[state] ?? state }));
  if (wasOpen && !steps.length) return { kind: "unknown", steps, sentence: openSentence(reply.status, problem) };
  if (isOpen(reply.status, problem)) return { kind: "unknown", steps, sentence: openSentence(reply.status, problem) };
  const failed = problem.steps?.find(({ state }) => state === "failed")?.step;
  if (reply.status === 401) return { kind: "again", steps, sentence: "You are signed out. Nothing was bought." };
  if (reply.status === 429) return { kind: "again", steps, sentence: `Too many requests. Nothing was bought. ${sayWhen(problem) || "Try again shortly."}` };
  if (reply.status >= 500) return { kind: "again", steps, sentence: `${unavailable(failed)} Nothing was bought.` };
  return { kind: "refused", steps, sentence: `${refusal(failed, problem, reply.status)} Nothing was bought.` };
}

function isOpen(status, problem) {
  if (!status || problem.code === "saga_under_way" || problem.code === "saga_unsettled") return true;
  if (FINAL.has(status) || status === 401 || status === 429) return false;
  const states = (problem.steps ?? []).map(({ state }) => state);
  if (states.some((state) => state === "unknown" || state === "not-undone")) return true;
  return states.length === 0; // a 5xx that says nothing of the steps says nothing of the purchase
}

function openSentence(status, problem) {
  if (problem.code === "saga_under_way") return "The purchase is still under way.";
  if (problem.code === "saga_unsettled") return "The purchase was not settled in time. The gateway goes on with it.";
  if (status === 401) return "You are signed out. Not known whether the order was placed.";
  return status ? `The gateway answered ${status}. Not known whether the order was placed.` : "No answer came. Not known whether the order was placed.";
}

function unavailable(step) {
  const what = { quote: "The price could not be fixed", reserve: "Stock could not be held", charge: "The payment could not be made" };
  return `${what[step] ?? "The order could not be placed"}: a service is unavailable.`;
}

function refusal(step, problem, status) {
  const detail = problem.detail ? ` ${problem.detail}` : "";
  if (status === 403) return "You may not place orders: this needs the scope orders:write.";
  if (step === "reserve") return `Not enough stock.${detail}`;
  if (step === "charge") return `The payment was refused.${detail}`;
  return `The purchase was refused.${detail}`;
}

// The key of a purchase: the same until its outcome is known, in this page and after a reload.
export class PurchaseKey {
  constructor(storage, name, makeKey = () => crypto.randomUUID()) {
    this.storage = storage;
    this.name = name;
    this.makeKey = makeKey;
    this.memory = null;
  }

  // {key, method} of a purchase whose outcome is open, else null.
  get open() {
    try {
      const stored = JSON.parse(this.storage.getItem(this.name) ?? "null");
      return typeof stored?.key === "string" ? stored : this.memory;
    } catch {
      return this.memory;
    }
  }

  // Returns {key, method} for the request. While an outcome is open these are the earlier ones,
  // whatever is chosen now: another key could buy the same cart twice.
  begin(method) {
    const begun = this.open ?? { key: this.makeKey(), method };
    this.memory = begun;
    try {
      this.storage.setItem(this.name, JSON.stringify(begun));
    } catch {
      // It then lasts as long as the page.
    }
    return begun;
  }

  // After bought, refused or again the next purchase is another one.
  settle(kind) {
    if (kind === "unknown") return;
    this.memory = null;
    try {
      this.storage.removeItem(this.name);
    } catch {
      // Nothing was stored.
    }
  }
}
