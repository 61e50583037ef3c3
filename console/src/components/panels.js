// What stands in a panel while there is nothing to show: loading, empty, failed.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { Shape } from "./state.js";

const QUIET = 150; // ms for which loading shows nothing

/** The problem of a page whose script could not be loaded. */
export const NO_SCRIPT = { title: "Its script did not arrive", detail: "Reload the page." };

/**
 * Shows `children(data)` of a resource; otherwise loading lines, or the problem with Retry.
 *
 * A problem beside older data stands above it: the data stays readable.
 */
export function Loaded({ resource, what, rows = 4, children }) {
  const { data, problem, reload } = resource;
  return html`${problem && html`<${ErrorPanel} problem=${problem} what=${what} retry=${reload} />`}
    ${data !== null ? children(data) : !problem && html`<${Loading} what=${what} rows=${rows} />`}`;
}

/** Hairline rows at their final height, after 150 ms. */
export function Loading({ what, rows = 4 }) {
  const [isShown, show] = useState(false);
  useEffect(() => {
    const timer = setTimeout(show, QUIET, true);
    return () => clearTimeout(timer);
  }, []);
  const widths = [130, 90, 150, 110];
  return html`<div class="loading" role="status" aria-label="Loading ${what}">
    ${isShown && html`<svg width="100%" height=${rows * 28} aria-hidden="true">
      ${Array.from({ length: rows }, (_, row) => html`<rect x="0" y=${row * 28 + 10} width=${widths[row % 4]} height="8" rx="4" class="f-wait" />
        <rect x="85%" y=${row * 28 + 10} width="40" height="8" rx="4" class="f-wait" />`)}
    </svg>`}
  </div>`;
}

/** What failed, what the server says to do about it, and Retry: in this panel only. */
export function ErrorPanel({ problem, what, retry }) {
  return html`<div class="panel" role="alert">
    <b><${Shape} state="failed" size=${14} /> ${what ? `${capital(what)} could not be loaded` : problem.title}</b>
    <p>${[what ? problem.title : "", problem.detail].filter(Boolean).map(sentence).join(" ")}</p>
    ${retry && html`<p><button type="button" class="btn" onClick=${retry}>Retry</button></p>`}
  </div>`;
}

/** What will be here, and what fills it: text, and actions as children. */
export function Empty({ title, text = "", children = null }) {
  return html`<div class="panel"><b>${title}</b>${text && html`<p>${text}</p>`}${children}</div>`;
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}

function sentence(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
