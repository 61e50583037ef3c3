// What became of each change of a bulk write (POST /v1/prices/bulk).
//
// States: saved; refused (a final no: the text has to change first); failed (not done, or not
// known whether it was done: the same request may be sent again); duplicate is refused.

import { isObject, sayWhen } from "../shared/answer.js";

const WORDS = {
  not_attempted: "not tried, the time was over",
  timeout: "no answer in time, it may have been changed",
  circuit_open: "pricing is unavailable",
  unreachable: "pricing could not be reached",
  overloaded: "pricing is overloaded",
  not_found: "pricing does not know this SKU",
  duplicate_item: "the same SKU occurs twice",
};

// `request` is {key, items: [{sku, amount, currency}]}; `reply` is {status, body, problem}, where
// status 0 means that no answer came. Returns {rows: [{sku, state, reason}],
// isOpen, sentence, isForbidden, isSignedOut}.
export function outcomesOf(request, reply) {
  if (reply.status === 207 && Array.isArray(reply.body?.items)) return itemsOf(request, reply.body.items);
  const problem = reply.problem ?? reply.body ?? {};
  if (reply.status === 422 && Array.isArray(problem.errors)) return pointedOutcomes(request, problem.errors);
  return wholeOutcome(request, reply.status, problem);
}

function itemsOf(request, items) {
  const found = new Map(items.filter(isObject).map((item) => [item.index, item]));
  const rows = request.items.map((sent, index) => outcomeOf(sent, found.get(index)));
  return { rows, isOpen: rows.some(({ state }) => state === "failed"), sentence: summary(rows) };
}

function outcomeOf({ sku }, item) {
  if (!item) return { sku, state: "failed", reason: "the answer does not mention it" };
  if (item.status >= 200 && item.status < 300) return { sku, state: "saved", reason: null };
  const isFinal = item.status >= 400 && item.status < 500 && ![408, 425, 429].includes(item.status);
  return { sku, state: isFinal ? "refused" : "failed", reason: reasonOf(item.problem, item.status) };
}

// The services say in `detail` what they mind; amounts in it are minor units, and are rewritten.
export function reasonOf(problem, status) {
  const steep = /costs (\d+): a change to (\d+) is more than (\d+\s?%)/.exec(problem?.detail ?? "");
  if (steep) return `it costs ${cents(steep[1])}, and ${cents(steep[2])} is a change of more than ${steep[3]}`;
  if (/greater than or equal to|less than or equal to/.test(problem?.detail ?? "")) return "pricing does not accept this amount";
  if (WORDS[problem?.code]) return WORDS[problem.code];
  if (status >= 500) return `pricing answered ${status}`;
  return sentenceCase(problem?.detail ?? problem?.title) ?? `answered ${status}`;
}

function cents(text) {
  return (Number(text) / 100).toFixed(2);
}

function sentenceCase(text) {
  return typeof text === "string" && text ? text.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase()).replace(/\.$/, "") : null;
}

// 422 of the whole batch: JSON pointers such as /items/0/price/amount say which rows are wrong.
function pointedOutcomes(request, errors) {
  const reasons = new Map();
  for (const { pointer = "", detail } of errors) {
    const index = /^\/items\/(\d+)\//.exec(pointer)?.[1];
    if (index !== undefined) reasons.set(Number(index), sentenceCase(detail));
  }
  const rows = request.items.map(({ sku }, index) => {
    const reason = reasons.get(index);
    return reason ? { sku, state: "refused", reason } : { sku, state: "failed", reason: "not sent on: another row is not valid" };
  });
  return { rows, isOpen: false, sentence: "Nothing was saved: the gateway does not accept these rows." };
}

function wholeOutcome(request, status, problem) {
  const all = (state, reason) => request.items.map(({ sku }) => ({ sku, state, reason }));
  if (status === 401) {
    return { rows: all("failed", "not signed in"), isOpen: false, isSignedOut: true, sentence: "Nothing was saved: you are signed out." };
  }
  if (status === 403) {
    return { rows: all("refused", "not allowed"), isOpen: false, isForbidden: true, sentence: "Nothing was saved: this needs the scope prices:write." };
  }
  if (status === 429) {
    return { rows: all("failed", "too many requests"), isOpen: false, sentence: `Nothing was saved: too many requests. ${sayWhen(problem) || "Try again shortly."}` };
  }
  if (status === 422 && problem.code === "idempotency_key_reused") {
    return { rows: all("failed", "sent with a key that was used before"), isOpen: false, sentence: "Nothing was saved this time. Save again." };
  }
  if (status >= 400 && status < 500) {
    return { rows: all("refused", reasonOf(problem, status)), isOpen: false, sentence: "Nothing was saved: the gateway refused the request." };
  }
  const what = status ? `the gateway answered ${status}` : "no answer came";
  return {
    rows: all("failed", `${what}, it may have been changed`),
    isOpen: true,
    sentence: `Not known whether prices were saved: ${what}. Retry sends the same request and changes nothing twice.`,
  };
}

function summary(rows) {
  const count = (state) => rows.filter((row) => row.state === state).length;
  const said = [["saved", "saved"], ["refused", "refused"], ["failed", "not saved"]]
    .map(([state, word]) => [count(state), word])
    .filter(([number]) => number)
    .map(([number, word]) => `${number} ${word}`);
  return `${said.join(", ")}.`;
}
