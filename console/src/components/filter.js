// Filters of a list by text; their state is in the address.
import { useRef } from "preact/hooks";
import { html } from "../html.js";
import { useKeys } from "../keys.js";
import { query, setQuery } from "../router.js";

const TYPING = 200; // ms of rest before a filter is applied

/** The field for `?text=`; `f` goes to it. */
export function TextFilter({ label, placeholder }) {
  const field = useRef(null);
  const typing = useRef(0);
  useKeys({ f: () => field.current.focus() });
  const type = (event) => {
    const text = event.target.value.trim();
    clearTimeout(typing.current);
    typing.current = setTimeout(() => setQuery({ text }), TYPING);
  };
  return html`<div class="find">
    <input ref=${field} type="text" placeholder=${placeholder} aria-label=${label} defaultValue=${query.value.get("text") ?? ""} onInput=${type} />
    <kbd aria-hidden="true">f</kbd></div>`;
}

/** A filter that another page has set, such as `?route=`; a click removes it and `others`. */
export function FilterChip({ name, others = {} }) {
  const value = query.value.get(name);
  return html`<button type="button" class="chip narrowed" aria-label=${`Remove the filter ${name} ${value}`} onClick=${() => setQuery({ [name]: "", ...others })}>
    <span class="muted">${name}</span> ${value} <span aria-hidden="true">×</span></button>`;
}
