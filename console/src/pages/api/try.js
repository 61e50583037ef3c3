// The form that sends an operation, its response, and the same request as code.
import { useRef, useState } from "preact/hooks";
import { Tabs } from "../../components/card.js";
import { CodeBlock } from "../../components/code.js";
import { html } from "../../html.js";
import { BodyForm } from "./body.js";
import { CredentialField, useCredential } from "./credential.js";
import { exampleOf, flattened } from "./document.js";
import { useRecordedValues } from "./recorded.js";
import { Answer, useSend } from "./send.js";
import { curlOf, pythonOf, typeScriptOf } from "./snippets.js";

/** Fields start with the values that a call needs. */
function firstValues(document, { parameters }) {
  const needed = parameters.filter((one) => one.required).map((one) => [one.name, String(one.example ?? exampleOf(document, one.schema ?? {}) ?? "")]);
  return Object.fromEntries(needed);
}

/** The path with its values: "/v1/products/8?limit=5". */
function targetOf({ path, parameters }, values) {
  const filled = path.replace(/\{([^}]+)\}/g, (place, name) => (values[name] ? encodeURIComponent(values[name]) : place));
  const search = new URLSearchParams(parameters.filter((one) => one.in === "query" && values[one.name]).map((one) => [one.name, values[one.name]]));
  return search.size ? `${filled}?${search}` : filled;
}

function headersOf({ parameters }, values) {
  return parameters.filter((one) => one.in === "header" && values[one.name]).map((one) => [one.name, values[one.name]]);
}

export function Try({ gateway, document, operation }) {
  const [values, change] = useState(() => firstValues(document, operation));
  const [body, write] = useState(() => (operation.body ? JSON.stringify(exampleOf(document, operation.body.schema), null, 2) : ""));
  const credential = useCredential(gateway);
  useRecordedValues(gateway.name, operation, values, change);
  const state = useSend(gateway);
  const form = useRef(null);
  const target = targetOf(operation, values);
  const headers = headersOf(operation, values);
  const send = () => {
    const media = operation.body ? [["Content-Type", operation.body.media]] : [];
    return state.send({ method: operation.method, path: target, headers: [...credential.headers, ...media, ...headers], body, with_session: credential.isSession });
  };
  const submit = (event) => (event.preventDefault(), send());
  const onKeyDown = (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && (event.preventDefault(), form.current.requestSubmit());
  const request = { method: operation.method, url: `${gateway.url}${target}`, headers, body, credential };
  return html`<div class="try"><section class="card" aria-label="Try it">
      <header><h2>Try it</h2><span class="end"><button type="submit" form="try-form" class="btn go" disabled=${state.isRunning || state.refusal !== ""}>${state.isRunning ? "Sending …" : "Send"} <kbd>ctrl enter</kbd></button></span></header>
      <form id="try-form" ref=${form} onSubmit=${submit} onKeyDown=${onKeyDown}><div class="inputs"><${CredentialField} credential=${credential} />
        ${operation.parameters.map((one) => html`<${Input} key=${`${one.in} ${one.name}`} document=${document} parameter=${one} value=${values[one.name] ?? ""} onChange=${(value) => change((now) => ({ ...now, [one.name]: value }))} />`)}</div>
      ${operation.body && html`<${BodyForm} document=${document} schema=${operation.body.schema} media=${operation.body.media} body=${body} write=${write} />`}
    </form>
    <${Answer} state=${state} credential=${credential} retry=${send} empty=${`Sends ${operation.method} ${target} to ${gateway.name}.`} /></section>
    <${Code} snippets=${{ curl: () => curlOf(request), ts: () => typeScriptOf({ gateway, document, operation, values, body, credential }), python: () => pythonOf({ gateway, document, operation, values, body, credential }) }} /></div>`;
}

function placeholderOf({ required }, { default: usual }) {
  if (usual !== undefined && usual !== "") return String(usual);
  return required ? "required" : "";
}

/** A parameter as a field: a list for enums and booleans, else text. */
function Input({ document, parameter, value, onChange }) {
  const flat = flattened(document, parameter.schema ?? {});
  const options = flat.enum ?? (flat.type === "boolean" ? ["true", "false"] : null);
  const shared = { value, required: parameter.required === true, "aria-label": `${parameter.name} (${parameter.in})` };
  return html`<label><span title=${parameter.name}>${parameter.name}${parameter.required ? "" : html` <em>optional</em>`}</span>
    ${options ? html`<select ...${shared} onChange=${(event) => onChange(event.target.value)}><option value="">–</option>${options.map((one) => html`<option key=${one} value=${String(one)} selected=${String(one) === value}>${String(one)}</option>`)}</select>`
      : html`<input type="text" ...${shared} placeholder=${placeholderOf(parameter, flat)} autocomplete="off" spellcheck=${false} onInput=${(event) => onChange(event.target.value)} />`}</label>`;
}

const LANGUAGES = [["curl", "curl"], ["ts", "TypeScript"], ["python", "Python"]];

function Code({ snippets }) {
  const [language, choose] = useState("curl");
  return html`<section class="card snippets" aria-label="As code"><header><h2>As code</h2><span class="end"><${Tabs} label="Language" items=${LANGUAGES} chosen=${language} choose=${choose} panel="snippet" /></span></header>
    <div id="snippet" role="tabpanel" aria-label=${LANGUAGES.find(([name]) => name === language)[1]}><${CodeBlock} text=${snippets[language]()} label=${language} /></div></section>`;
}
