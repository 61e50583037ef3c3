// A schema as a tree: names, types, limits, descriptions; objects unfold.
import { marked } from "../../marked.js";
import { html } from "../../html.js";
import { flattened, limitsOf, nameOf, typeOf } from "./document.js";

const DEEPEST = 6;

/** What is inside of a schema: the object itself, or the items of arrays and the options of unions. */
function insideOf(document, schema) {
  const flat = flattened(document, schema);
  if (flat.type === "array" && flat.items) return insideOf(document, flat.items);
  return flat;
}

export function Schema({ document, schema, within = [] }) {
  const flat = insideOf(document, schema);
  if (flat.options) return html`<ul class="fields">${flat.options.map((one, index) => html`<${Option} key=${index} document=${document} schema=${one} within=${within} number=${index + 1} />`)}</ul>`;
  const fields = Object.entries(flat.properties ?? {});
  if (!fields.length) return html`<p class="muted leaf">${typeOf(document, schema)}${flat.description ? `: ${flat.description}` : ""}</p>`;
  return html`<ul class="fields">${fields.map(([name, one]) => html`<${Field} key=${name} ...${{ document, name, within }} schema=${one} isRequired=${flat.required?.includes(name)} />`)}</ul>`;
}

function Option({ document, schema, within, number }) {
  return html`<li><details><summary><b>${nameOf(schema) || `option ${number}`}</b><code>${typeOf(document, schema)}</code></summary><${Schema} document=${document} schema=${schema} within=${within} /></details></li>`;
}

function Field({ document, name, schema, isRequired, within }) {
  const flat = flattened(document, schema);
  const inside = insideOf(document, schema);
  const type = typeOf(document, schema);
  const isCircle = within.includes(type) || within.length >= DEEPEST;
  const head = html`<b>${name}</b><code>${type}</code>${!isRequired && html`<em>optional</em>`}<span class="facts">${marked([limitsOf(flat), flat.description].filter(Boolean).join(" · "))}</span>`;
  const hasMore = !isCircle && (Object.keys(inside.properties ?? {}).length > 0 || inside.options);
  if (!hasMore) return html`<li><div class="field">${head}</div></li>`;
  return html`<li><details><summary class="field">${head}</summary><${Schema} document=${document} schema=${schema} within=${[...within, type]} /></details></li>`;
}
