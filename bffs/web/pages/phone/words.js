// The sentences of the phone app: failures, what is missing, states of orders and of stock.

import { sayWhen } from "../shared/answer.js";

// Which service a critical part calls: a problem names the part that failed.
const SERVICES = { profile: "users", cart: "cart", product: "catalog", order: "orders" };

const CAUSES = {
  bad_status: "answered with an error",
  unavailable: "did not answer",
  timeout: "did not answer in time",
  deadline_exceeded: "did not answer in time",
  circuit_open: "failed too often and is not called for now",
  bulkhead_full: "has too many calls in flight",
  bad_payload: "sent a reply that cannot be read",
  protocol_error: "sent a reply that cannot be read",
};

/** Why a screen failed, without a full stop; `page` of a list calls the service `lister`. */
export function cause(problem, lister = "catalog") {
  const code = problem?.code;
  if (code === "overloaded" || code === "too_many_requests") return "too many requests at once";
  const service = SERVICES[problem?.part] ?? (problem?.part === "page" ? lister : null);
  if (problem?.status === 0 && problem.title) return withoutStop(problem.title).toLowerCase(); // no service is known to have failed
  const said = CAUSES[code];
  if (said) return `${service ?? "a service"} ${said}`;
  if (problem?.detail) return withoutStop(problem.detail);
  if (problem?.title) return withoutStop(problem.title).toLowerCase();
  return "the gateway failed";
}

/** "Home could not be loaded: users did not answer. Try again in 60 s." */
export function failure(title, problem, lister) {
  return [`${title} could not be loaded: ${cause(problem, lister)}.`, sayWhen(problem ?? {})].filter(Boolean).join(" ");
}

/** Why a write got no answer: a device without a network can't know whether the shop would. */
export function noAnswer({ code }) {
  return code === "offline" ? "this device is offline" : "the shop does not answer";
}

const withoutStop = (text) => text.replace(/\.$/, "");

/** Whether a part has no value of its own. */
export function isGone(part) {
  return Boolean(part) && ["missing", "fallback", "forbidden", "failed"].includes(part.state);
}

const STOCK = { in_stock: "In stock", low: "Few left", out_of_stock: "Out of stock" };

/** A stock state in words; null is "Stock not known". */
export function stockWords(status) {
  if (status === null || status === undefined) return "Stock not known";
  return STOCK[status] ?? sentence(status);
}

/** "out_of_stock" as "Out of stock". */
export function sentence(name) {
  const words = String(name).replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** "1 item", "3 items". */
export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}
