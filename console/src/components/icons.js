// Shapes and icons: one sprite, placed once in the document, used by name.
import { html } from "../html.js";
import { installation } from "../live-stream.js";

/** The shapes of states, the clients, and the hatching of bars that wait. */
export function Sprite() {
  return html`<svg class="sprite" width="0" height="0" aria-hidden="true" focusable="false"><defs>
    <symbol id="i-ok" viewBox="0 0 12 12"><circle cx="6" cy="6" r="5.5" fill="currentColor" /><path class="on" d="M3.4 6.2 5.3 8 8.7 4.3" fill="none" stroke-width="1.6" /></symbol>
    <symbol id="i-stale" viewBox="0 0 12 12"><circle cx="6" cy="6" r="4.8" fill="none" stroke="currentColor" stroke-width="1.5" /><path d="M6 3.4V6l2 1.4" fill="none" stroke="currentColor" stroke-width="1.5" /></symbol>
    <symbol id="i-fallback" viewBox="0 0 12 12"><circle cx="6" cy="6" r="4.8" fill="none" stroke="currentColor" stroke-width="1.5" /><path d="M6 1.2a4.8 4.8 0 0 1 0 9.6z" fill="currentColor" /></symbol>
    <symbol id="i-missing" viewBox="0 0 12 12"><circle cx="6" cy="6" r="4.8" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.3 2.7" /></symbol>
    <symbol id="i-forbidden" viewBox="0 0 12 12"><circle cx="6" cy="6" r="5.5" fill="currentColor" /><path class="on" d="M3 6h6" stroke-width="1.8" /></symbol>
    <symbol id="i-failed" viewBox="0 0 12 12"><rect x="1" y="1" width="10" height="10" rx="2" fill="currentColor" /><path class="on" d="m4 4 4 4m0-4-4 4" stroke-width="1.6" /></symbol>
    <symbol id="i-web" viewBox="0 0 16 16" class="ln"><rect x="1.5" y="2.5" width="13" height="11" rx="1.5" /><path d="M1.5 6h13M4 4.3h.1M6 4.3h.1" /></symbol>
    <symbol id="i-mobile" viewBox="0 0 16 16" class="ln"><rect x="4.2" y="1.5" width="7.6" height="13" rx="1.6" /><path d="M7 12.3h2" /></symbol>
    <symbol id="i-desktop" viewBox="0 0 16 16" class="ln"><rect x="1" y="2.2" width="14" height="9" rx="1.4" /><path d="M5 14h6M8 11.4V14" /></symbol>
    <symbol id="i-gateway" viewBox="0 0 16 16" class="ln"><rect x="2" y="3" width="12" height="10" rx="1.5" /><path d="M5 8h6m-2-2 2 2-2 2" /></symbol>
    <symbol id="i-logo" viewBox="0 0 20 20"><path d="M2 3h3c4 0 4 7 8 7M2 10h11M2 17h3c4 0 4-7 8-7" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" /><rect x="12.5" y="6" width="6" height="8" rx="1.6" fill="currentColor" /></symbol>
    <symbol id="i-overview" viewBox="0 0 16 16" class="ln"><circle cx="3.5" cy="8" r="2" /><circle cx="12.5" cy="3.5" r="2" /><circle cx="12.5" cy="12.5" r="2" /><path d="m5.3 7.1 5.4-2.7M5.3 8.9l5.4 2.7" /></symbol>
    <symbol id="i-requests" viewBox="0 0 16 16" class="ln"><path d="M2 3.5h7M4.5 8h8M7 12.5h7" /></symbol>
    <symbol id="i-screens" viewBox="0 0 16 16" class="ln"><rect x="2" y="2.5" width="5" height="11" rx="1" /><rect x="9.5" y="2.5" width="4.5" height="4.5" rx="1" /><rect x="9.5" y="9.5" width="4.5" height="4" rx="1" /></symbol>
    <symbol id="i-upstreams" viewBox="0 0 16 16" class="ln"><rect x="2" y="2.5" width="12" height="3.6" rx="1" /><rect x="2" y="9.9" width="12" height="3.6" rx="1" /><path d="M8 6.1v3.8" /></symbol>
    <symbol id="i-faults" viewBox="0 0 16 16" class="ln"><path d="M9 1.8 3.5 9h4L6.8 14.2 12.5 7h-4z" /></symbol>
    <symbol id="i-api" viewBox="0 0 16 16" class="ln"><path d="m5 4.5-3 3.5 3 3.5M11 4.5 14 8l-3 3.5" /></symbol>
    <symbol id="i-logs" viewBox="0 0 16 16" class="ln"><path d="M2.5 3.5h11M2.5 6.5h11M2.5 9.5h8M2.5 12.5h5" /></symbol>
    <symbol id="i-sessions" viewBox="0 0 16 16" class="ln"><path d="M3 4.5c0-1.4 10-1.4 10 0v7c0 1.4-10 1.4-10 0z" /><path d="M3 8c0 1.4 10 1.4 10 0" /></symbol>
    <pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="f-surface" width="5" height="5" /><path class="k-control" d="M0 0v5" stroke-width="1.6" /></pattern>
  </defs></svg>`;
}

/** An icon of the sprite; `label` gives it an accessible name, without one it is decoration. */
export function Icon({ name, size = 16, label = "", class: kind = "" }) {
  const role = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return html`<svg class="icon ${kind}" width=${size} height=${size} ...${role}><use href="#i-${name}" /></svg>`;
}

const CLIENTS = { web: "web", browser: "web", mobile: "mobile", ios: "mobile", android: "mobile", phone: "mobile", desktop: "desktop" };

/** The name of a gateway's icon, after the kind of its clients, else its own name. */
export function clientIcon(gateway) {
  const info = installation.value?.gateways.find(({ name }) => name === gateway);
  return CLIENTS[info?.client] ?? CLIENTS[gateway] ?? "gateway";
}
