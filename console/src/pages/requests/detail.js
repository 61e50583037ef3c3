// One request: its sentence, its waterfall, and what was sent.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { post } from "../../api.js";
import { Headline, Tabs } from "../../components/card.js";
import { CopyButton, copyText, ShortId } from "../../components/code.js";
import { ClientIcon } from "../../components/icons.js";
import { Empty, Loaded } from "../../components/panels.js";
import { Badge } from "../../components/state.js";
import { bytes, duration } from "../../format.js";
import { html } from "../../html.js";
import { useKeys } from "../../keys.js";
import { installation } from "../../live.js";
import { useResource } from "../../resource.js";
import { go, hrefOf, query, setQuery } from "../../router.js";
import { BytesPerPart } from "./bytes.js";
import { Differences } from "./compare.js";
import { Headers, LogLines, ResponseBody } from "./panes.js";
import { nameOf } from "./rows.js";
import { Waterfall } from "./waterfall.js";

const TRIES = 6; // a request that was just sent again is recorded a moment later

export function Detail({ id }) {
  const resource = useResource(id ? `requests/${encodeURIComponent(id)}` : null);
  const first = query.value.get("compare") ?? "";
  const compared = useResource(first && first !== id ? `requests/${encodeURIComponent(first)}` : null);
  const tries = useRef(0);
  useEffect(() => void (tries.current = 0), [id]);
  useEffect(() => {
    if (resource.problem?.status !== 404 || tries.current++ >= TRIES) return undefined;
    const timer = setTimeout(resource.reload, 400);
    return () => clearTimeout(timer);
  }, [resource.problem]);
  if (!id) return html`<section class="card det" aria-label="Request"><${Empty} title="No request is open" text="Click a request, or press j." /></section>`;
  return html`<section class="card det" id="request" tabindex="-1" aria-label="Request"><${Loaded} resource=${resource} what="the request" rows=${14}>
    ${(detail) => html`<${Content} key=${detail.row.id} detail=${detail} other=${compared.data} first=${first} />`}<//></section>`;
}

/** Parts get colours in the order in which they appear, 1 to 10 and again. */
function useColors(detail) {
  return useMemo(() => {
    const names = [...new Set([...detail.spans.filter(({ kind }) => kind === "part").map(({ name }) => name), ...detail.bytes.map(({ part }) => part), ...Object.values(detail.origins)])];
    const colors = new Map(names.map((name, index) => [name, (index % 10) + 1]));
    return (part) => colors.get(part) ?? 0;
  }, [detail]);
}

function Content({ detail, other, first }) {
  const colorOf = useColors(detail);
  const tab = query.value.get("tab") ?? (other ? "differences" : "response");
  const tabs = [["response", "Response"], ["headers", "Headers"], ["logs", `Log lines ${detail.logs.length}`], ...(other ? [["differences", "Differences"]] : [])];
  const shown = tabs.some(([name]) => name === tab) ? tab : "response";
  return html`<${Head} detail=${detail} first=${first} />
    <${Headline} headline=${detail.headline} isCompact />
    <${Waterfall} detail=${detail} other=${other} colorOf=${colorOf} />
    <div class="bot"><div class="pane"><h3><${Tabs} label="What was sent" panel="pane" items=${tabs} chosen=${shown} choose=${(name) => setQuery({ tab: name === "response" && !other ? "" : name })} />${shown === "response" && detail.body && html`<span class="muted">colour: the part that a field came from</span><${CopyButton} class="btn copy" text=${() => pretty(detail.body)} />`}</h3>
      <div id="pane" role="tabpanel" tabindex="0" aria-label=${tabs.find(([name]) => name === shown)[1]}>${paneOf(shown, { detail, other, colorOf })}</div></div>
      <${BytesPerPart} detail=${detail} colorOf=${colorOf} /></div>`;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function paneOf(name, { detail, other, colorOf }) {
  if (name === "headers") return html`<${Headers} detail=${detail} />`;
  if (name === "logs") return html`<${LogLines} logs=${detail.logs} />`;
  if (name === "differences") return html`<${Differences} before=${other} after=${detail} />`;
  return html`<${ResponseBody} detail=${detail} colorOf=${colorOf} />`;
}

function Head({ detail, first }) {
  const { row } = detail;
  const gateway = installation.value?.gateways.find(({ name }) => name === row.gateway) ?? { name: row.gateway };
  return html`<header class="dh"><div><h2><${ClientIcon} gateway=${gateway} size=${18} /><span>${nameOf(row)}</span> <${Badge} state=${row.state} /></h2>
    <p>${row.status || "no status"} · <b>${duration(row.seconds)}</b> · <b>${row.size === null ? "stream" : bytes(row.size)}</b> · <b>${detail.attempts}</b> ${detail.attempts === 1 ? "attempt" : "attempts"} for <b>${detail.calls}</b> ${detail.calls === 1 ? "call" : "calls"} · request <${ShortId} id=${row.id} what="request id" />${row.viewer && html` · viewer <${ShortId} id=${row.viewer} length=${4} what="viewer hash" />`}</p></div>
    <${Actions} detail=${detail} first=${first} /></header>`;
}

function Actions({ detail, first }) {
  const { row } = detail;
  const [said, say] = useState("");
  const [isConfirming, confirm] = useState(false);
  const isComparing = first !== "";
  const copy = () => copyText(detail.curl).then((isCopied) => say(isCopied ? "Copied as curl" : "The browser does not let the page copy"));
  const replay = () => {
    if (!detail.can_replay) return say(detail.replay_note || "This request can't be sent again");
    say("Sending it again");
    return post(`requests/${encodeURIComponent(row.id)}/replay`, { confirm: isConfirming }).then(
      ({ id }) => go(hrefOf("requests", { subject: id, query: { ...Object.fromEntries(query.value), compare: row.id, tab: "" } })),
      (problem) => (confirm(problem.status === 409 && !isConfirming), say(`${problem.title}. ${problem.detail}`)),
    );
  };
  const compare = () => setQuery({ compare: isComparing ? "" : row.id, tab: "" });
  useKeys({ c: copy, r: replay, "=": compare });
  const comparing = first === row.id ? "Choose the second" : isComparing ? "End comparison" : "Compare";
  return html`<div class="acts"><span class="said" role="status">${said}</span>
    <button type="button" class="btn" onClick=${copy}>Copy as curl <kbd>c</kbd></button>
    <button type="button" class="btn" aria-disabled=${String(!detail.can_replay)} title=${detail.replay_note} onClick=${replay}>${isConfirming ? "Send it again anyway" : "Replay"} <kbd>r</kbd></button>
    <button type="button" class="btn" aria-pressed=${String(isComparing)} onClick=${compare}>${comparing} <kbd>=</kbd></button></div>`;
}
