// One sentence about what happens: which service is stopped, and what each client is left with.
import { list, words } from "../shared/format.js";
import { isWhole, sayReason } from "../shared/parts.js";

const CLIENTS = { phone: "the phone", web: "the web page", office: "the back office" };
const PARTS = { summary: "product names" }; // where its name alone says too little
const NUMBERS = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten"];

/**
 * Returns {state, text}: what `services` ([{name, state, detail}]) do, and what `facts` ({phone, web, office})
 * say of it. Facts from before `changedAt` (milliseconds) do not count; until all three clients have newer ones
 * the sentence has only the cause, and `state` is "waiting", unless it `isOverdue`.
 */
export function story({ services, facts, changedAt = 0, isOverdue = false }) {
  const known = Object.entries(facts).filter(([, one]) => one && one.at >= changedAt);
  const cause = causeOf(services);
  const isWaiting = known.length < Object.keys(CLIENTS).length && !(isOverdue && known.length);
  if (isWaiting) return { state: "waiting", text: cause && `${cause}.` };
  const effects = effectsOf(known);
  if (cause) return { state: worst(known), text: `${cause}: ${effects}.` };
  const isAllRight = services.length > 0 && known.length === 3 && worst(known) === "complete";
  return { state: worst(known), text: isAllRight ? quiet(services) : `${capitalized(effects)}.` };
}

function causeOf(services) {
  const named = (state) => services.filter((one) => one.state === state).map(({ name }) => name);
  const [stopped, starting] = [named("stopped"), named("starting")];
  const faulty = services.filter(({ state }) => state === "faulty");
  const causes = [
    stopped.length && `${list(stopped)} ${stopped.length > 1 ? "are" : "is"} stopped`,
    starting.length && `${list(starting)} ${starting.length > 1 ? "start" : "starts"}`,
    ...faulty.map(({ name, detail }) => `${name} ${detail || "is faulty"}`),
  ];
  return list(causes.filter(Boolean));
}

function quiet(services) {
  const count = NUMBERS[services.length] ?? services.length;
  return `${count} services run, and all three screens are complete. Stop one of them: which client misses it?`;
}

function worst(known) {
  return ["offline", "failed", "degraded"].find((state) => known.some(([, one]) => one.state === state)) ?? "complete";
}

// Clients that are left with the same are named together, the complete ones first.
function effectsOf(known) {
  const groups = new Map();
  const complete = known.filter(([, { state }]) => state === "complete");
  for (const [name, one] of [...complete, ...known.filter((entry) => !complete.includes(entry))]) {
    const key = effectOf(one, false);
    groups.set(key, { facts: one, names: [...(groups.get(key)?.names ?? []), CLIENTS[name]] });
  }
  if (complete.length === Object.keys(CLIENTS).length) return "all three screens stay complete";
  if (known.every(([, { state }]) => state === "offline")) return "no client reaches its gateway, so each shows its last screen";
  return [...groups.values()].map(({ facts, names }) => `${list(names)} ${effectOf(facts, names.length > 1)}`).join("; ");
}

function effectOf(facts, isPlural) {
  const show = isPlural ? "show" : "shows";
  if (facts.state === "complete") return isPlural ? "stay complete" : "stays complete";
  if (facts.state === "offline") return "can't reach the gateway";
  if (facts.status === 401) return isPlural ? "need a sign-in" : "needs a sign-in";
  if (facts.status === 403) return "may not see this screen";
  const failed = facts.parts.find(({ state }) => state === "failed");
  if (failed) return `can't do without ${nameOf(failed)} (${sayReason(failed.reason)})`;
  if (facts.state === "failed") return "got no screen";
  return `${show} no ${list(missing(facts))}`;
}

// The names of parts that are not there, with their reason where it is the same for all.
function missing(facts) {
  const parts = facts.parts.filter((part) => !isWhole(part));
  const roots = parts.filter(({ reason }) => reason !== "dependency");
  const reasons = new Set(roots.map(({ reason }) => reason));
  const names = parts.map(nameOf);
  if (reasons.size === 1 && [...reasons][0]) names[names.length - 1] += ` (${sayReason([...reasons][0])})`;
  return names;
}

function nameOf({ name }) {
  return PARTS[name] ?? words(name);
}

function capitalized(text) {
  return text[0].toUpperCase() + text.slice(1);
}
