// States: colour, shape and word together. Any one of them may be lost and the page still works.
import { html } from "../html.js";

const SHAPES = {
  complete: "ok", closed: "ok", running: "ok", degraded: "fallback", partial: "fallback", "half-open": "fallback", starting: "fallback",
  open: "failed", quiet: "missing", stopped: "missing", unknown: "missing", off: "missing", cancelled: "missing",
};
const SIX = ["ok", "stale", "fallback", "missing", "forbidden", "failed"];

/** The one of the six states whose colour and shape stands for a state of any kind. */
export function shapeOf(state) {
  return SIX.includes(state) ? state : (SHAPES[state] ?? "missing");
}

/** The shape alone, as decoration beside its word. */
export function Shape({ state, size = 12 }) {
  const name = shapeOf(state);
  return html`<svg class="shape c-${name}" width=${size} height=${size} aria-hidden="true"><use href="#i-${name}" /></svg>`;
}

/** The shape alone, with an accessible name: for dense rows. */
export function Dot({ state, label = state, size = 12 }) {
  const name = shapeOf(state);
  return html`<svg class="dot c-${name}" width=${size} height=${size} role="img" aria-label=${label}><title>${label}</title><use href="#i-${name}" /></svg>`;
}

/** Shape, word and detail: `<Badge state="fallback" detail="timeout" />`. */
export function Badge({ state, word = state, detail = "" }) {
  const name = shapeOf(state);
  return html`<span class="state s-${name}"><svg width="12" height="12" aria-hidden="true"><use href="#i-${name}" /></svg>${word}${detail && html` <i>${detail}</i>`}</span>`;
}

/** One cell per part in the plan's order; ok is small and grey. */
export function Strip({ parts }) {
  if (!parts.length) return null;
  return html`<svg class="strip" width=${parts.length * 7} height="8" role="img" aria-label=${inWords(parts)}>
    ${parts.map((state, index) => state === "ok"
      ? html`<rect x=${index * 7} y="1.5" width="5" height="5" rx="1.2" class="f-wait" />`
      : html`<rect x=${index * 7} y="0" width="5" height="8" rx="1.2" class="f-${shapeOf(state)}" />`)}
  </svg>`;
}

function inWords(parts) {
  const amounts = new Map();
  for (const state of parts) amounts.set(state, (amounts.get(state) ?? 0) + 1);
  return `parts: ${[...amounts].map(([state, amount]) => `${amount} ${state}`).join(", ")}`;
}

/** The class of an HTTP status: 4xx amber, 5xx red, all else muted. */
export function statusClass(status) {
  if (status >= 500) return "t-failed";
  return status >= 400 ? "t-fallback" : "muted";
}
