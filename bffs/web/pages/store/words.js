// What the store says: of stock, ratings, orders, payments and problems. No element is made here.

import { sayWhen } from "../shared/answer.js";

const STATUSES = {
  placed: "Placed",
  paid: "Paid",
  packed: "Packed",
  shipped: "On its way",
  delivered: "Delivered",
  cancelled: "Cancelled",
  returned: "Returned",
};

const PAYMENTS = {
  authorized: "Reserved on",
  captured: "Paid by",
  refunded: "Refunded to",
  partially_refunded: "Partly refunded to",
  failed: "Refused by",
};

const REASONS = {
  bad_status: "the service answered with an error",
  bad_payload: "the service sent something else than expected",
  circuit_open: "the service failed too often just now",
  not_sent: "the service does not run",
  unavailable: "the service does not run",
  timeout: "the service took too long",
  deadline_exceeded: "it took too long",
  bulkhead_full: "the service is too busy",
  overloaded: "the gateway is too busy",
  unreadable: "the answer could not be read",
};

/** Returns what the status of an order is called. */
export function orderStatus(status) {
  return STATUSES[status] ?? sentence(status);
}

/** Returns how an order was paid, "Paid by PayPal". */
export function paymentWords({ status, method }) {
  return `${PAYMENTS[status] ?? `${sentence(status)}:`} ${method.label}`;
}

/** Returns the reason of a part that is not there, in a visitor's words; "" without one. */
export function reasonWords(reason) {
  return REASONS[reason] ?? (reason ? reason.replaceAll("_", " ") : "");
}

/** Returns {text, kind} of a stock: kind is in, low, out or unknown. */
export function stockWords(stock) {
  if (!stock) return { kind: "unknown", text: "stock not known" };
  if (stock.status === "out_of_stock" || stock.available === 0) return { kind: "out", text: "Sold out" };
  if (stock.status === "low") return { kind: "low", text: `Only ${stock.available} left` };
  return { kind: "in", text: "In stock" };
}

const WAYS = { standard: "Standard", express: "Express", pickup: "Pick-up" };

/** Returns how long a delivery takes, "2–4 days". */
export function daysWords({ minDays, maxDays }) {
  return minDays === maxDays ? plural(maxDays, "day") : `${minDays}–${maxDays} days`;
}

/** Returns the name of a way to get a product. */
export function wayWords(method) {
  return WAYS[method] ?? sentence(method);
}

/** Returns a rating as a sentence for screen readers. */
export function ratingWords({ average, count }) {
  if (!count) return "No reviews yet";
  return `Rated ${average.toFixed(1)} of 5 by ${plural(count, "customer")}`;
}

/** Returns "1 item", "3 items". */
export function plural(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** Returns "clothing and shoes" as "Clothing and shoes", "on_hold" as "On hold". */
export function sentence(text) {
  const plain = text.replaceAll("_", " ");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

/** Returns what a customer's loyalty means, "Gold member. 12,550 points to platinum." */
export function loyaltyWords({ tier, points, pointsToNext }) {
  const tiers = ["bronze", "silver", "gold", "platinum"];
  const next = tiers[tiers.indexOf(tier) + 1];
  const rest = pointsToNext && next ? `${pointsToNext.toLocaleString("en")} points to ${next}` : `${points.toLocaleString("en")} points`;
  return `${sentence(tier)} member. ${rest}.`;
}

/** Returns why a page could not be loaded: {title, text, canRetry, needsSignIn}. */
export function problemWords(problem, subject) {
  const { code, status, title } = problem;
  if (status === 401) return said("Sign in to see this", "Your session has ended, or you have not signed in yet.", false, true);
  if (status === 403) return said("You may not see this", `${title} Sign in again to allow it.`, false, true);
  if (status === 404) return said(`${sentence(subject)} was not found`, title, false);
  if (code === "offline") return said("You are offline", `${sentence(subject)} will be loaded when the connection is back.`, true);
  if (code === "unreachable") return said("The shop does not answer", "Its gateway can't be reached. It may be starting.", true);
  if (status === 429) return said("Too many requests", sayWhen(problem) || "Wait a moment, then try again.", true);
  const cause = reasonWords(code) || title;
  const text = problem.part ? `${sentence(problem.part)} failed: ${cause}.` : `${sentence(cause)}.`;
  return said(`${sentence(subject)} could not be loaded`, [text, sayWhen(problem)].filter(Boolean).join(" "), true);
}

function said(title, text, canRetry, needsSignIn = false) {
  return { title, text, canRetry, needsSignIn };
}

/** Returns what went wrong with a change of the cart, in one sentence. */
export function writeWords(problem) {
  const { status, code, title } = problem;
  if (status === 401) return "Your session has ended. Sign in, then try again.";
  if (status === 403) return `Not allowed: ${title}`;
  if (code === "offline") return "You are offline. Nothing was changed.";
  if (code === "unreadable") return "The answer could not be read, so it is not known whether this was changed. Try again: it can't happen twice.";
  if (status === 0) return "No answer came, so it is not known whether this was changed. Try again: it can't happen twice.";
  if (status === 404) return "This item is no longer sold.";
  if (status === 409 || status === 422 || status === 400) return title;
  return `The cart could not be changed: ${reasonWords(code) || title}. ${sayWhen(problem) || "Try again."}`;
}
