// The GraphQL explorer: operation, variables and headers, the response, history and the schema.
import { graphql } from "cm6-graphql";
import { json, jsonParseLinter } from "@codemirror/lang-json";
import { linter } from "@codemirror/lint";
import { buildSchema, parse, print } from "graphql";
import { useMemo, useRef, useState } from "preact/hooks";
import { Tabs } from "../../components/card.js";
import { CopyButton } from "../../components/code.js";
import { ErrorPanel } from "../../components/panels.js";
import { html } from "../../html.js";
import { timeOfDay } from "../../format.js";
import { CredentialField, useCredential } from "./credential.js";
import { Editor, replaceText } from "./editor.js";
import { completionDocs, hoverDocs, TypeBrowser } from "./graphql-docs.js";
import { forget, save, savedOf, titleOf } from "./saved.js";
import { Answer, useSend } from "./send.js";
import { curlOf } from "./snippets.js";

function schemaOf(sdl) {
  try {
    return { schema: buildSchema(sdl, { assumeValid: true }), problem: null };
  } catch (error) {
    return { schema: null, problem: { title: error.message, detail: "Run `bff check`." } };
  }
}

/** The first query of a reader: a root field with the plain fields in it. */
function firstQuery(schema) {
  const fields = Object.values(schema.getQueryType()?.getFields() ?? {});
  const field = fields.find(({ args }) => args.every(({ type, defaultValue }) => !String(type).endsWith("!") || defaultValue !== undefined));
  if (!field) return "";
  return `query {\n  ${field.name}${selection(schema, field.type, 1)}\n}\n`;
}

function selection(schema, type, depth) {
  const named = schema.getType(String(type).replace(/[[\]!]/g, ""));
  if (!named?.getFields) return "";
  const all = Object.values(named.getFields()).filter(({ args }) => args.every((one) => one.defaultValue !== undefined));
  const lines = all.filter((one) => depth < 2 || !schema.getType(String(one.type).replace(/[[\]!]/g, ""))?.getFields).slice(0, 4).map((one) => `${"  ".repeat(depth + 1)}${one.name}${selection(schema, one.type, depth + 1)}`);
  return lines.length ? ` {\n${lines.join("\n")}\n${"  ".repeat(depth)}}` : " { __typename }";
}

/** "Name: value" lines as pairs. */
function headersOf(text) {
  return text.split("\n").map((line) => /^\s*([^:\s]+)\s*:\s*(.*?)\s*$/.exec(line)).filter(Boolean).map(([, name, value]) => [name, value]);
}

function parsedVariables(text) {
  try {
    return { variables: text.trim() ? JSON.parse(text) : undefined, problem: null };
  } catch (error) {
    return { variables: undefined, problem: { title: "Variables are not JSON", detail: error.message } };
  }
}

export function Explorer({ gateway, sdl }) {
  const { schema, problem } = useMemo(() => schemaOf(sdl), [sdl]);
  if (problem) return html`<section class="card"><${ErrorPanel} problem=${problem} what=${`the schema of ${gateway.name}`} /></section>`;
  return html`<${Workbench} gateway=${gateway} schema=${schema} />`;
}

function Workbench({ gateway, schema }) {
  const [saved, list] = useState(() => savedOf(gateway.name));
  const first = useMemo(() => saved[0]?.query ?? firstQuery(schema), []);
  const text = useRef({ query: first, variables: saved[0]?.variables ?? "", headers: "" });
  const views = { query: useRef(null), variables: useRef(null) };
  const [type, choose] = useState("");
  const [note, say] = useState(null);
  const credential = useCredential(gateway);
  const state = useSend(gateway);
  const request = () => {
    const { variables, problem } = parsedVariables(text.current.variables);
    return { problem, body: JSON.stringify({ query: text.current.query, variables }), headers: headersOf(text.current.headers) };
  };
  const send = () => {
    const { problem, body, headers } = request();
    say(problem);
    if (problem || state.refusal) return undefined;
    list(save(gateway.name, { query: text.current.query, variables: text.current.variables, time: Date.now() / 1000 }));
    return state.send({ method: "POST", path: gateway.graphql, headers: [...credential.headers, ["Content-Type", "application/json"], ...headers], body, with_session: credential.isSession });
  };
  const prettify = () => {
    try {
      replaceText(views.query.current, `${print(parse(text.current.query))}\n`);
      say(null);
    } catch (error) {
      say({ title: "The operation has an error", detail: error.message });
    }
  };
  const curl = () => curlOf({ method: "POST", url: `${gateway.url}${gateway.graphql}`, credential, ...request() });
  const open = (row) => (replaceText(views.query.current, row.query), replaceText(views.variables.current, row.variables));
  return html`<div class="gql"><${TypeBrowser} schema=${schema} chosen=${type} choose=${choose} />
    <section class="card ask" aria-label="Operation"><header><h2>Operation</h2><span class="end"><${History} saved=${saved} open=${open} clear=${() => list(forget(gateway.name))} />
        <button type="button" class="btn" onClick=${prettify}>Prettify</button><button type="button" class="btn go" disabled=${state.isRunning || state.refusal !== ""} onClick=${send}>${state.isRunning ? "Sending …" : "Send"} <kbd>ctrl enter</kbd></button></span></header>
      <${Operation} schema=${schema} value=${first} view=${views.query} submit=${send} choose=${choose} onChange=${(query) => (text.current.query = query)} />
      <${Inputs} text=${text.current} view=${views.variables} submit=${send} credential=${credential} /></section>
    <section class="card answerbox" aria-label="Response"><header><h2>Response</h2><span class="end"><${CopyButton} text=${curl} label="Copy as curl" /></span></header>${note && html`<${ErrorPanel} problem=${note} />`}<${Answer} state=${state} credential=${credential} retry=${send} empty="The response appears here: its data, errors and the states of its parts." /></section></div>`;
}

/** The editor of the operation: completion, errors and documentation come from the schema. */
function Operation({ schema, value, view, submit, onChange, choose }) {
  const extensions = useMemo(() => [graphql(schema, { onCompletionInfoRender: completionDocs, onShowInDocs: (_, name) => name && choose(name.replace(/[[\]!]/g, "")) }), hoverDocs(schema)], [schema]);
  return html`<div class="main-editor"><${Editor} label="GraphQL operation" value=${value} hint="query { … }" extensions=${extensions} submit=${submit} onChange=${onChange} handle=${view} /></div>`;
}

const INPUTS = [["variables", "Variables"], ["headers", "Credentials, headers"]];

function Inputs({ text, view, submit, credential }) {
  const [shown, show] = useState("variables");
  return html`<div class="below"><div class="bar"><${Tabs} label="Inputs" items=${INPUTS} chosen=${shown} choose=${show} panel="gql-input" /></div>
    <div id="gql-input" role="tabpanel" aria-label=${shown}>
      <div hidden=${shown !== "variables"}><${Editor} label="Variables, JSON" value=${text.variables} hint='{ "id": "8" }' extensions=${[json(), linter((editor) => (editor.state.doc.toString().trim() ? jsonParseLinter()(editor) : []))]} submit=${submit} onChange=${(next) => (text.variables = next)} handle=${view} /></div>
      <div hidden=${shown !== "headers"} class="inputs"><${CredentialField} credential=${credential} />
        <label class="tall"><span>other headers</span><textarea rows="3" spellcheck=${false} placeholder="Accept-Language: fr" onInput=${(event) => (text.headers = event.target.value)}></textarea></label></div>
    </div></div>`;
}

/** What was sent before; a choice puts it into the editors. */
function History({ saved, open, clear }) {
  const pick = (event) => {
    const { value } = event.target;
    event.target.value = "";
    if (value === "clear") clear();
    else if (value) open(saved[Number(value)]);
  };
  return html`<label class="pick"><span class="sr">History</span><select disabled=${!saved.length} onChange=${pick}><option value="">History${saved.length ? ` ${saved.length}` : ""}</option>
    ${saved.map((row, index) => html`<option key=${row.time} value=${String(index)}>${timeOfDay(row.time)} ${titleOf(row.query)}</option>`)}${saved.length > 0 && html`<option value="clear">Clear the history</option>`}</select></label>`;
}
