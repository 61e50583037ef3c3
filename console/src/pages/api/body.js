// The body of a request: a form for objects of plain values, and JSON for all.
import { useState } from "preact/hooks";
import { Tabs } from "../../components/card.js";
import { html } from "../../html.js";
import { flattened, limitsOf } from "./document.js";

const PLAIN = ["string", "integer", "number", "boolean"];

function parsed(body) {
  try {
    return { value: JSON.parse(body), problem: "" };
  } catch (error) {
    return { value: null, problem: error.message };
  }
}

/** The fields of a form, null if the schema has more than plain values. */
function fieldsOf(document, schema) {
  const flat = flattened(document, schema);
  const fields = Object.entries(flat.properties ?? {}).map(([name, one]) => ({ name, flat: flattened(document, one), isRequired: flat.required?.includes(name) === true }));
  return fields.length && fields.every((one) => PLAIN.includes(one.flat.type)) ? fields : null;
}

export function BodyForm({ document, schema, media, body, write }) {
  const fields = media === "application/json" ? fieldsOf(document, schema) : null;
  const [mode, choose] = useState(fields ? "form" : "json");
  const { value, problem } = parsed(body);
  const isJson = media === "application/json";
  return html`<div class="body"><div class="bar"><b>Body</b><span class="muted">${media}</span><span class="grow"></span>${fields && html`<${Tabs} label="Body as" items=${[["form", "Form"], ["json", "JSON"]]} chosen=${mode} choose=${choose} panel="body-panel" />`}</div>
    <div id="body-panel" role=${fields ? "tabpanel" : undefined} aria-label=${fields ? mode : undefined}>${mode === "form" && value !== null && typeof value === "object"
      ? html`<div class="inputs">${fields.map((field) => html`<${Field} key=${field.name} field=${field} value=${value[field.name]} onChange=${(next) => write(JSON.stringify(changed(value, field.name, next), null, 2))} />`)}</div>`
      : html`<textarea aria-label="Body" rows=${Math.min(14, Math.max(3, body.split("\n").length))} spellcheck=${false} value=${body} aria-invalid=${isJson && problem ? "true" : undefined} aria-describedby="body-problem" onInput=${(event) => write(event.target.value)}></textarea>`}</div>
    <p class="t-failed" id="body-problem">${isJson && body && problem}</p></div>`;
}

function changed(value, name, next) {
  const rest = { ...value, [name]: next };
  if (next === undefined) delete rest[name];
  return rest;
}

function Field({ field: { name, flat, isRequired }, value, onChange }) {
  const convert = (text) => {
    if (text === "" && !isRequired) return undefined;
    if (flat.type === "integer" || flat.type === "number") return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
    return flat.type === "boolean" ? text === "true" : text;
  };
  const options = flat.enum?.map(String) ?? (flat.type === "boolean" ? ["true", "false"] : null);
  const shown = value === undefined || value === null ? "" : String(value);
  return html`<label title=${[limitsOf(flat), flat.description].filter(Boolean).join(" · ")}><span>${name}${isRequired ? "" : html` <em>optional</em>`}</span>
    ${options ? html`<select value=${shown} onChange=${(event) => onChange(convert(event.target.value))}><option value="">–</option>${options.map((one) => html`<option key=${one} value=${one} selected=${one === shown}>${one}</option>`)}</select>`
      : html`<input type="text" value=${shown} required=${isRequired} autocomplete="off" spellcheck=${false} onInput=${(event) => onChange(convert(event.target.value))} />`}</label>`;
}
