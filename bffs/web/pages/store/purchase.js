// One purchase: which key it is sent with, and what an answer of `checkout` means.

const STORED = "store.purchase.";
const UNSETTLED = new Set(["saga_unsettled", "saga_under_way", "timeout", "deadline_exceeded", "offline", "unreachable"]);
const CAUSES = {
  401: "Your session has ended: sign in first.",
  offline: "The connection was lost.",
  unreachable: "The shop does not answer.",
  saga_under_way: "The shop is still working on it.",
};
// What each step is for, and whom it calls: the first one reads the cart, then has the order calculated.
const STEPS = {
  quote: ["The order could not be calculated", "the cart or the order service"],
  reserve: ["The goods could not be reserved", "the stock service"],
  charge: ["The payment could not be taken", "the payment service"],
  place: ["The order could not be placed", "the order service"],
};
const FAILURES = {
  bad_status: "answered with an error",
  bad_payload: "sent something else than expected",
  protocol_error: "sent something else than expected",
  circuit_open: "failed too often just now and is not called for some seconds",
  bulkhead_full: "is too busy",
};
const OPEN_STEPS = new Set(["unknown", "not-undone"]);

/**
 * The key of the purchase that is under way, and what it is for.
 *
 * `storage` is a Storage (the session's): a page that is loaded again still knows a purchase whose outcome is
 * open. The key stays the same until the outcome is known, so that no retry can buy twice.
 */
export class Purchase {
  constructor(storage, newKey) {
    this.storage = storage;
    this.newKey = newKey;
  }

  /** Returns {key, customer, method, label, isOpen} of a purchase that may be repeated, or null. */
  pending(customer) {
    try {
      const found = JSON.parse(this.storage.getItem(STORED + customer));
      return found?.key ? found : null;
    } catch {
      return null;
    }
  }

  /** Begins a purchase, or returns the one that is to be repeated. It is open from now on, whatever becomes of the page. */
  begin({ customer, method, label }) {
    const pending = this.pending(customer);
    if (pending?.method === method || pending?.isOpen) return this.write({ ...pending, isOpen: true });
    return this.write({ key: this.newKey(), customer, method, label, isOpen: true });
  }

  /** Notes what came of it: what can be repeated has the same key, all else is over. */
  settle(pending, { kind }) {
    if (kind === "unknown") return;
    if (kind === "failed" || kind === "unsent") this.write({ ...pending, isOpen: false });
    else this.storage.removeItem(STORED + pending.customer);
  }

  write(pending) {
    this.storage.setItem(STORED + pending.customer, JSON.stringify(pending));
    return pending;
  }
}

/**
 * Returns what came of a purchase: {kind, title, text, order?}.
 *
 * kind: bought · declined (the payment) · gone (the stock) · empty (the cart) · changed (the key was used for
 * something else) · signedOut · forbidden · unsent (nothing began) · failed (everything was undone) · unknown.
 * `wasOpen`: it was sent before, so that a refusal of this request alone says nothing about it.
 */
export function outcomeOf({ body, problem, errors = [] }, { label = "The payment", wasOpen = false } = {}) {
  if (body?.checkout) return { kind: "bought", order: body.checkout, title: "Thank you, your order is placed", text: "" };
  const { status = 0, code = "", title = "" } = problem ?? {};
  const steps = errors[0]?.extensions?.steps ?? [];
  const failed = steps.find((step) => step.state === "failed")?.step;
  const isRefusedAlone = wasOpen && steps.length === 0 && code !== "idempotency_key_reused";
  if (isRefusedAlone || isOpen({ status, code, steps })) return unknown({ code, status });
  if (status === 401) return outcome("signedOut", "Your session has ended", "Nothing was bought. Sign in, then place the order.");
  if (status === 403) return outcome("forbidden", "You may not place orders", `${title} Nothing was bought.`);
  if (code === "idempotency_key_reused") return outcome("changed", "This purchase was begun with other details", "Look at your orders before you buy again.");
  if (failed === "charge" && status < 500) return declined(title, label);
  if (failed === "reserve" && status < 500) return outcome("gone", "Not everything is in stock any more", `${title} Nothing was charged. Change your cart, then try again.`);
  if (status === 400 || status === 422) return outcome("empty", "The order could not be placed", `${title} Nothing was charged.`);
  if (steps.length === 0 && status === 503) return outcome("unsent", "The order was not sent", "The shop can't take orders at the moment. Nothing was charged. Try again.");
  const undone = "Everything was undone: nothing was bought, and nothing was charged. Try again.";
  return outcome("failed", "The order could not be placed", `${failureWords(failed, code)}. ${undone}`);
}

function failureWords(step, code) {
  const [what, service] = STEPS[step] ?? ["A step did not work", "a service"];
  return `${what}: ${service} ${FAILURES[code] ?? "did not answer"}`;
}

function isOpen({ status, code, steps }) {
  if (status === 0 || UNSETTLED.has(code) || status === 504) return true;
  if (steps.some((step) => OPEN_STEPS.has(step.state))) return true;
  return status >= 500 && status !== 503 && steps.length === 0;
}

function declined(title, label) {
  const reason = title.match(/declined: ([a-z_ ]+)/)?.[1]?.replaceAll("_", " ");
  const said = reason ? `${label} was declined: ${reason}.` : title;
  return outcome("declined", "The payment was refused", `${said} Nothing was charged, and your cart is as it was. Choose another way to pay.`);
}

function unknown({ code, status }) {
  const cause = CAUSES[status] ?? CAUSES[code] ?? "No final answer has come yet.";
  const advice = "Check again: this purchase has a number of its own, so it can't be placed twice. Please do not buy the same things in another window.";
  return { ...outcome("unknown", "It is not known yet whether your order was placed", `${cause} ${advice}`), needsSignIn: status === 401 };
}

function outcome(kind, title, text) {
  return { kind, title, text };
}
