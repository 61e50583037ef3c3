// Text to copy.
import { useState } from "preact/hooks";
import { html } from "../html.js";

/** Copies text; where the browser has no clipboard (plain HTTP), through a field. */
export async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => copyByField(text));
  return copyByField(text);
}

function copyByField(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "sr";
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  return isCopied;
}

/** A button that copies; it says so in its own words for two seconds. */
export function CopyButton({ text, label = "Copy", hint = "", class: kind = "btn" }) {
  const [word, say] = useState("");
  const copy = async () => {
    say((await copyText(typeof text === "function" ? text() : text)) ? "Copied" : "Not copied");
    setTimeout(say, 2000, "");
  };
  return html`<button type="button" class=${kind} onClick=${copy}><span aria-live="polite">${word || label}</span>${hint && html` <kbd>${hint}</kbd>`}</button>`;
}

/** A block of code with a copy button. */
export function CodeBlock({ text, label = "Code" }) {
  return html`<div class="code"><pre tabindex="0" aria-label=${label} role="region"><code>${text}</code></pre><${CopyButton} text=${text} /></div>`;
}

/** An id that is cut to `length`, and copied by a click. */
export function ShortId({ id, length = 12, what = "id" }) {
  const [word, say] = useState("");
  const copy = async () => {
    say((await copyText(id)) ? "copied" : "not copied");
    setTimeout(say, 1500, "");
  };
  const shown = word || (id.length > length ? `${id.slice(0, length)}…` : id);
  return html`<button type="button" class="id" title=${`Copy ${what} ${id}`} aria-label=${`${shown}, copy ${what}`} onClick=${copy}>${shown}</button>`;
}
