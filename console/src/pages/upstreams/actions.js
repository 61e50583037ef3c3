// What an operator can do to a service: it says what happens, and confirms only what refuses traffic.
import { useEffect, useRef, useState } from "preact/hooks";
import { post } from "../../api.js";
import { html } from "../../html.js";
import { installation } from "../../live-stream.js";
import { query } from "../../router.js";

const SECONDS = 60;
const VERBS = { open: `Open for ${SECONDS} s`, close: "Close", eject: `Eject for ${SECONDS} s`, restore: "Restore", purge: "Purge" };

export function Actions({ data, reload }) {
  const canOperate = installation.value?.can_operate !== false;
  return html`<header><h2>Actions</h2><span class="end">${canOperate ? "operator, written to the audit log" : "needs the operator role"}</span></header>
    <div class="act">${data.actions.map((action) => html`<${Action} key=${`${action.action} ${action.endpoint}`} action=${action} upstream=${data.upstream} canOperate=${canOperate} reload=${reload} />`)}</div>`;
}

function Action({ action, upstream, canOperate, reload }) {
  const [tag, write] = useState("");
  const [stage, go] = useState({ name: "rest" });
  const needsTag = action.action === "purge";
  const isOff = !canOperate || !action.is_possible || stage.name === "running" || (needsTag && !tag.trim());
  const run = async () => {
    go({ name: "running" });
    try {
      const body = { action: action.action, gateway: query.value.get("gateway") ?? "", endpoint: action.endpoint, tag: tag.trim(), seconds: SECONDS };
      const { text, lines } = await post(`upstreams/${encodeURIComponent(upstream)}/actions`, body);
      go({ name: "done", lines: lines?.length ? lines : [text] });
      await reload();
    } catch (problem) {
      go({ name: "failed", lines: [problem.title, problem.detail].filter(Boolean) });
    }
  };
  const start = () => (action.needs_confirmation ? go({ name: "confirm" }) : run());
  const field = `tag-${upstream}`;
  return html`<div class=${action.needs_confirmation ? "refuses" : ""}><div class="what"><b>${needsTag ? html`<label for=${field}>${action.title}</label>` : action.title}</b>
      ${needsTag ? html`<input id=${field} class="in" value=${tag} placeholder="product:862" autocomplete="off" spellcheck=${false} onInput=${(event) => write(event.target.value)} onKeyDown=${(event) => event.key === "Enter" && !isOff && start()} />` : html`<span>${action.note}</span>`}
      <span class=${`result ${stage.name === "failed" ? "t-failed" : "t-ok"}`} role="status">${stage.lines?.map((line) => html`<span class=${stage.name === "done" && line.startsWith("Not done") ? "t-failed" : ""}>${line}</span>`)}</span></div>
    ${stage.name === "confirm" ? html`<${Confirm} action=${action} upstream=${upstream} confirm=${run} cancel=${() => go({ name: "rest" })} />`
      : html`<button type="button" class=${`btn ${kindOf(action)}`} disabled=${isOff} onClick=${start}>${stage.name === "running" ? "Running …" : VERBS[action.action]}</button>`}</div>`;
}

function kindOf({ action, needs_confirmation: needsConfirmation, is_possible: isPossible }) {
  if (!isPossible) return "";
  if (needsConfirmation) return "bad";
  return action === "eject" || action === "close" ? "go" : "";
}

/** Confirmation in the row, of what refuses traffic. */
function Confirm({ action, upstream, confirm, cancel }) {
  const first = useRef(null);
  useEffect(() => first.current.focus(), []);
  const what = action.action === "open" ? `Calls of ${upstream} are refused for ${SECONDS} s.` : `Calls of ${action.endpoint || upstream} go elsewhere.`;
  return html`<div class="confirm" role="group" aria-label=${`Confirm: ${action.title}`} onKeyDown=${(event) => event.key === "Escape" && (event.stopPropagation(), cancel())}>
    <span>${what}</span><button type="button" class="btn" ref=${first} onClick=${cancel}>Cancel</button><button type="button" class="btn bad" onClick=${confirm}>${VERBS[action.action]}</button></div>`;
}
