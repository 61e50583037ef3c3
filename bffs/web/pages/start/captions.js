// What each client received: bytes, calls, time, and a badge per part. The space for it is always the same.
import { el, icon, replace } from "../shared/dom.js";
import { bytes, duration, words } from "../shared/format.js";
import { badge, isWhole, sayPart, sayReason } from "../shared/parts.js";
import { stateBadge } from "../shared/states.js";

const NARROW = 400; // px
const NAMED = new Set(["deals", "picks", "related"]); // lists of products, which have no names of their own
const SVG = "http://www.w3.org/2000/svg";

/** Draws the caption of a client: `about` is {title, icon, href}, `facts` null while it loads for the first time. */
export function drawCaption(caption, about, facts) {
  const parts = el("ul", { class: "parts" });
  replace(
    caption,
    el(
      "h2",
      {},
      icon(about.icon, { size: 20 }),
      el("a", { href: about.href, id: `open-${about.icon}`, title: `Open ${about.title.toLowerCase()} alone` }, about.title),
      el("code", {}, facts?.route ?? ""),
      el("span", { class: "grow" }),
      facts && stateBadge(facts.state),
    ),
    el("p", { class: "big" }, ...size(facts)),
    share(facts),
    el("p", { class: "facts" }, ...figures(facts)),
    parts,
  );
  fill(parts, asShown(facts?.parts ?? []), caption.clientWidth < NARROW);
}

/**
 * Returns parts as a screen shows them: without `summary` a list of products has no names, so it is not whole,
 * though its own service answered.
 */
export function asShown(parts) {
  const isNamed = parts.every((part) => part.name !== "summary" || isWhole(part));
  if (isNamed) return parts;
  return parts.map((part) => (NAMED.has(part.name) && isWhole(part) ? { ...part, state: "partial", reason: "no_names", ms: null } : part));
}

// Where not all badges have room, they are said shorter; at last the names of complete parts give way.
function fill(list, parts, isNarrow) {
  const ways = [isNarrow ? sayShort : sayPart, sayShort, sayReasonOnly];
  for (const say of ways) {
    replace(list, parts.map((part) => el("li", { title: sayPart(part) }, badge(part, say(part)))));
    if (list.scrollHeight <= list.clientHeight + 1) return;
  }
  list.classList.add("is-crowded");
}

function sayReasonOnly(part) {
  return isWhole(part) ? sayPart(part) : `${words(part.name)}: ${sayReason(part.reason || part.state)}`;
}

function sayShort(part) {
  return isWhole(part) || part.ms === null ? sayReasonOnly(part) : `${sayReasonOnly(part)}, ${duration(part.ms)}`;
}

function size(facts) {
  if (!facts) return [el("b", { class: "muted" }, "–")];
  if (facts.state === "offline") return [el("b", { class: "muted" }, "0 B"), " no answer"];
  const total = hasShare(facts) ? ` out of ${bytes(facts.fetched)} fetched` : " received";
  return [el("b", {}, bytes(facts.bytes)), total];
}

function figures(facts) {
  if (!facts || facts.state === "offline") return [el("span", {}, facts ? silence() : "")];
  const calls = facts.calls === null ? null : el("span", {}, el("b", {}, "1"), " request ", el("span", { "aria-hidden": "true" }, "→ "), el("span", { class: "sr" }, "becomes "), el("b", {}, facts.calls), facts.calls === 1 ? " call" : " calls", el("span", { class: "more" }, " to services"));
  const [number, unit] = duration(facts.ms).split(/ (?=[^ ]+$)/);
  return [calls, el("span", {}, el("b", {}, number), ` ${unit}`)];
}

// Only a device with a network can know that it is the gateway.
function silence() {
  return navigator.onLine === false ? "This device is offline." : "The gateway does not answer.";
}

// Cached replies fetched nothing: then there is nothing to compare with.
function hasShare(facts) {
  return facts !== null && facts.fetched > facts.bytes;
}

// The bar: bytes that the client got, out of all that services sent.
function share(facts) {
  const part = hasShare(facts) ? facts.bytes / facts.fetched : 0;
  const percent = part * 100;
  const svg = document.createElementNS(SVG, "svg");
  const label = hasShare(facts) ? { role: "img", "aria-label": `${percent.toFixed(0)} percent of what services sent` } : { "aria-hidden": "true" };
  for (const [key, value] of Object.entries({ class: "share", viewBox: "0 0 100 6", preserveAspectRatio: "none", ...label })) svg.setAttribute(key, value);
  for (const [width, classes] of [[100, "all"], [percent, "got"]]) {
    const rect = document.createElementNS(SVG, "rect");
    for (const [key, value] of Object.entries({ width, height: 6, class: classes })) rect.setAttribute(key, value);
    svg.append(rect);
  }
  return svg;
}
