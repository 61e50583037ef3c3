// Sending a request through the console to a gateway, and what came back.
import { useState } from "preact/hooks";
import { post } from "../../api.js";
import { CopyButton } from "../../components/code.js";
import { ErrorPanel } from "../../components/panels.js";
import { membersOf } from "../../components/part-status.js";
import { Badge, statusClass } from "../../components/state.js";
import { bytes, count, duration } from "../../format.js";
import { html } from "../../html.js";
import { pretty } from "../../json-text.js";
import { ageAndReason } from "../../reasons.js";
import { hrefOf } from "../../router.js";
import { isAnswering } from "./answering.js";
import { Hint } from "./credential.js";

/** {sent, problem, isRunning, refusal, send}: `send({method, path, headers, body})` runs one request, unless a `refusal` says why not. */
export function useSend(gateway) {
  const refusal = isAnswering(gateway) ? "" : `${gateway.name} does not answer. You can send when it does.`;
  const [state, change] = useState({ sent: null, problem: null, isRunning: false });
  const send = async (request) => {
    if (refusal) return;
    change((now) => ({ ...now, isRunning: true }));
    try {
      const sent = await post(`gateways/${encodeURIComponent(gateway.name)}/send`, request);
      change({ sent, problem: null, isRunning: false });
    } catch (problem) {
      change({ sent: null, problem, isRunning: false });
    }
  };
  return { ...state, refusal, send };
}

/** Whether the gateway wants to know who calls; GraphQL reports it in its errors. */
function isUnauthenticated({ status, text }) {
  return status === 401 || /"code":\s*"not_authenticated"/.test(text);
}

/** The response: status, time, size, parts, headers, body. */
export function Answer({ state, credential, retry, empty }) {
  const { sent, problem, refusal } = state;
  if (refusal && !sent) return html`<p class="hint leaf" role="status">${refusal}</p>`;
  if (problem) return html`<${ErrorPanel} problem=${problem} retry=${retry} />`;
  if (!sent) return html`<p class="muted leaf">${empty}</p>`;
  const text = pretty(sent.text);
  const parts = sent.headers.find(([name]) => name.toLowerCase() === "part-status")?.[1] ?? "";
  return html`<div class="sent">${refusal && html`<p class="hint" role="status">${refusal}</p>`}<p class="facts" role="status"><b class=${statusClass(sent.status)}>${sent.status}</b><span>${duration(sent.seconds)}</span><span>${bytes(sent.size)}</span>
      ${sent.request_id && html`<a href=${hrefOf("requests", { subject: sent.request_id })}>Open the request</a>`}</p>
    ${isUnauthenticated(sent) && html`<p class="hint">${credential.kind ? html`<${Hint} kind=${credential.kind} gateway=${credential.gateway} />` : "This gateway authenticates no one."}</p>`}
    ${parts && html`<${Parts} header=${parts} />`}
    <div class="code"><pre tabindex="0" role="region" aria-label="Response body"><code>${text || "(empty)"}</code></pre><${CopyButton} text=${text} /></div>
    ${sent.is_cut && html`<p class="muted">Only the beginning of the body is shown.</p>`}
    <details class="headers"><summary>${sent.headers.length} response headers</summary><dl>${sent.headers.map(([name, value], index) => html`<div key=${index}><dt><code>${name}</code></dt><dd><code>${value}</code></dd></div>`)}</dl></details></div>`;
}

/** Part-Status as badges; parts that are ok are counted. */
function Parts({ header }) {
  const members = membersOf(header);
  const notOk = members.filter(({ state }) => state !== "ok");
  const well = members.length - notOk.length;
  const badge = (one) => html`<span key=${one.name} class="one"><code>${one.name}</code><${Badge} state=${one.state} detail=${ageAndReason(one)} /></span>`;
  return html`<div class="parts"><b>Part-Status</b>${notOk.map(badge)}<span class="muted">${notOk.length ? `${well} others` : count(well, "part")} ok</span></div>`;
}
