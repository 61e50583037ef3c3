// Choices of one in few.
import { html } from "../html.js";

/** A native list: `options` are [value, text] pairs. */
export function Pick({ label, options, value, onChange }) {
  return html`<span class="pick">
    <select aria-label=${label} value=${value} onChange=${(event) => onChange(event.target.value)}>
      ${options.map(([key, text]) => html`<option value=${key} selected=${key === value}>${text}</option>`)}
    </select></span>`;
}

/** Buttons of which one is pressed: `options` are [value, text] pairs. */
export function Chips({ label, options, value, onChange }) {
  return html`<div class="chips" role="group" aria-label=${label}>
    ${options.map(([key, text]) => html`<button type="button" class="chip" aria-pressed=${String(key === value)} onClick=${() => onChange(key)}>${text}</button>`)}
  </div>`;
}
