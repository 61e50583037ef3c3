// Documentation of a GraphQL schema: on hover, in completions, and as a browser of types.
import { hoverTooltip } from "@codemirror/view";
import { offsetToPos } from "cm6-graphql";
import { getNamedType, isEnumType, isInputObjectType, isInterfaceType, isObjectType } from "graphql";
import { getHoverInformation } from "graphql-language-service";
import { useState } from "preact/hooks";
import { html } from "../../html.js";

/** Text as nodes: the signature bold, then the description. */
function docsNode(signature, text) {
  const box = document.createElement("div");
  box.className = "cm-docs";
  const head = document.createElement("b");
  head.textContent = signature;
  const rest = document.createElement("span");
  rest.textContent = text;
  box.append(head, rest);
  return box;
}

export function hoverDocs(schema) {
  return hoverTooltip((view, position) => {
    const found = getHoverInformation(schema, view.state.doc.toString(), offsetToPos(view.state.doc, position));
    if (!found) return null;
    const [signature, ...text] = String(found).replaceAll("```graphql", "").replaceAll("```", "").trim().split("\n");
    return { pos: position, above: true, create: () => ({ dom: docsNode(signature, text.join(" ").trim()) }) };
  });
}

export function completionDocs(item) {
  if (!item.documentation && !item.type) return null;
  return docsNode(`${item.label}${item.type ? `: ${item.type}` : ""}`, item.documentation ?? "");
}

/** The schema as pages: the root types, then any type by a click. */
export function TypeBrowser({ schema, chosen, choose }) {
  const [text, filter] = useState("");
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].filter(Boolean);
  const type = chosen ? schema.getType(chosen) : null;
  const shown = type ? [type] : roots;
  return html`<section class="card types" aria-label="Schema"><header><h2>Schema</h2>${type && html`<span class="end"><button type="button" class="btn" onClick=${() => choose("")}>All roots</button></span>`}</header>
    <div class="list"><input type="search" placeholder="Filter fields" aria-label="Filter fields" value=${text} onInput=${(event) => filter(event.target.value)} />
      ${shown.map((one) => html`<${Type} key=${one.name} type=${one} text=${text.toLowerCase()} choose=${choose} />`)}</div></section>`;
}

function Type({ type, text, choose }) {
  const fields = isObjectType(type) || isInterfaceType(type) || isInputObjectType(type) ? Object.values(type.getFields()) : isEnumType(type) ? type.getValues() : [];
  return html`<h3>${type.name}</h3>${type.description && html`<p class="ink2">${type.description}</p>`}
    <ul>${fields.filter(({ name }) => name.toLowerCase().includes(text)).map((field) => html`<li key=${field.name}><b>${field.name}</b>${argumentsOf(field)}${field.type && html`<${TypeLink} type=${field.type} choose=${choose} />`}${field.description && html`<p>${field.description}</p>`}${field.deprecationReason && html`<p class="t-fallback">deprecated: ${field.deprecationReason}</p>`}</li>`)}</ul>`;
}

function argumentsOf({ args }) {
  return args?.length ? html`<code class="args">(${args.map(({ name, type, defaultValue }) => `${name}: ${type}${defaultValue === undefined ? "" : ` = ${JSON.stringify(defaultValue)}`}`).join(", ")})</code>` : null;
}

function TypeLink({ type, choose }) {
  const named = getNamedType(type);
  const hasFields = isObjectType(named) || isInterfaceType(named) || isInputObjectType(named) || isEnumType(named);
  if (!hasFields) return html`<code class="muted">${String(type)}</code>`;
  return html`<button type="button" onClick=${() => choose(named.name)}><code>${String(type)}</code></button>`;
}
