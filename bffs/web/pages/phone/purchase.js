// A purchase: one Idempotency-Key for all its tries, and what became of it in words.

/** Codes of answers before anything ran: the purchase was not begun. */
const NOT_BEGUN = new Set([
  "too_many_requests",
  "overloaded",
  "store_unavailable",
  "not_authenticated",
  "session_ended",
  "not_allowed",
]);

const REFUSALS = {
  quote: "The order was not accepted",
  reserve: "Something in the cart is out of stock",
  charge: "The payment was declined",
  place: "The order was not accepted",
};

const SERVICES = { quote: "cart or orders", reserve: "inventory", charge: "payments", place: "orders" };

const UNKNOWN = {
  outcome: "unknown",
  title: "Not known yet whether you bought it",
  text:
    "The shop took the order and did not say how it ended. " +
    "Ask again: it is one purchase however often you ask, and is paid once at most.",
  isFinal: false,
};

/**
 * Judges the answer to a purchase: `{outcome, title, text, isFinal}`.
 *
 * `outcome` is "bought", "refused" (nothing was bought) or "unknown". A final outcome ends the
 * purchase; the others are tried again with the same key. `steps` of a problem say what was undone.
 */
export function judge({ ok, status, body, problem }) {
  if (ok) {
    return { outcome: "bought", title: "Bought", text: `Order ${body.number}`, isFinal: true };
  }
  const steps = problem?.steps ?? [];
  const isOpen = steps.some(({ state }) => state === "unknown" || state === "not-undone");
  const code = problem?.code ?? "";
  if (isOpen || code.startsWith("saga_") || !status) return UNKNOWN;
  if (NOT_BEGUN.has(code)) return refused("The shop did not take the order", problem, false);
  const failed = steps.find(({ state }) => state === "failed");
  if (failed && status < 500) return refused(refusal(failed.step, problem), problem, true, failed);
  if (failed) return refused(`${SERVICES[failed.step] ?? "A service"} did not answer`, null, false);
  return status < 500 ? refused("The order was not accepted", problem, true) : UNKNOWN;
}

function refusal(step, problem) {
  const isDecline = step !== "charge" || problem.status === 402;
  return isDecline ? (REFUSALS[step] ?? "The order was not accepted") : "The payment was refused";
}

function refused(reason, problem, isFinal, failed) {
  const isRefund = failed?.step === "place";
  const end = isRefund ? "Your payment was given back." : "Nothing was charged.";
  const detail = problem?.detail ? ` ${stop(problem.detail)}` : "";
  return { outcome: "refused", title: "Not bought", text: `${stop(reason)}${detail} ${end}`, isFinal };
}

const stop = (text) => (/[.!?]$/.test(text) ? text : `${text}.`);

/**
 * The purchase that is under way, in a storage such as `localStorage`, one per customer.
 *
 * It survives a reload and a lost connection, so that a repeated tap never buys twice.
 */
export class Purchases {
  constructor(storage, customer, newKey = () => crypto.randomUUID()) {
    this.storage = storage;
    this.name = `phone.purchase.${customer}`;
    this.newKey = newKey;
  }

  /** Returns `{key, method, at, isUnknown}` of the purchase that has no final outcome, or null. */
  open() {
    try {
      const stored = JSON.parse(this.storage.getItem(this.name));
      return typeof stored?.key === "string" ? stored : null;
    } catch {
      return null;
    }
  }

  /**
   * Returns the purchase to send. While an outcome is unknown it is the same one, whatever is
   * chosen meanwhile: only its key can tell how it ended.
   */
  begin(method, now) {
    const open = this.open();
    if (open && (open.isUnknown || open.method === method)) return open;
    return this.#store({ key: this.newKey(), method, at: now, isUnknown: false });
  }

  /** Stores what `judge` returned: a final outcome ends the purchase. */
  settle(purchase, { outcome, isFinal }) {
    if (isFinal) this.storage.removeItem(this.name);
    else this.#store({ ...purchase, isUnknown: outcome === "unknown" });
  }

  #store(purchase) {
    this.storage.setItem(this.name, JSON.stringify(purchase));
    return purchase;
  }
}
