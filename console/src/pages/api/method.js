// The HTTP method of an operation, as a label.
import { html } from "../../html.js";

export function Method({ name }) {
  return html`<span class="method m-${name.toLowerCase()}">${name === "DELETE" ? "DEL" : name}</span>`;
}
