// Sentences in which names and code are marked.
import { html } from "./html.js";

/** `**names**` and `` `code` `` of a sentence as elements; all else stays text. */
export function marked(text) {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map((piece) => {
    if (piece.startsWith("**") && piece.length > 4) return html`<b>${piece.slice(2, -2)}</b>`;
    if (piece.startsWith("`") && piece.length > 2) return html`<code>${piece.slice(1, -1)}</code>`;
    return piece;
  });
}

/** The same sentence as plain text, for labels. */
export function plain(text) {
  return text.replace(/\*\*([^*]+)\*\*/g, "$1").replace(/`([^`]+)`/g, "$1");
}
