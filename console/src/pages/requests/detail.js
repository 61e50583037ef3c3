// One request: its sentence, its waterfall, and what was sent.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { post } from "../../api.js";
import { Headline, Tabs } from "../../components/card.js";
import { CopyButton, copyText, ShortId } from "../../components/code.js";
import { clientIcon, Icon } from "../../components/icons.js";
import { Empty, Loaded } from "../../components/panels.js";
import { Badge } from "../../components/state.js";
import { bytes, count, duration, timeOfDay } from "../../format.js";
import { html } from "../../html.js";
import { pretty } from "../../json-text.js";
import { useKeys } from "../../keys.js";
import { useResource } from "../../resource.js";
import { partColours } from "../../part-colours.js";
import { go, hrefOf, query, setQuery } from "../../router.js";
import { BytesPerPart } from "./bytes.js";
import { summaryOf } from "./changes.js";
import { Differences } from "./compare.js";
import { Headers, LogLines, ResponseBody } from "./panes.js";
import { nameOf } from "./rows.js";
import { Waterfall } from "./waterfall.js";

const TRIES = 6; // a request that was just sent again is recorded a moment later

/** `rows` are those of the list: the request to compare with is one of them. */
export function Detail({ id, rows = [] }) {
  const resource = useResource(id ? `requests/${encodeURIComponent(id)}` : null);
  const screens = useResource("screens");
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
    ${(detail) => html`<${Content} key=${detail.row.id} detail=${detail} other=${first && first !== id ? compared.data : null} compared=${compared} first=${first} rows=${rows} screens=${screens.data} />`}<//></section>`;
}

function useColours(detail, screens) {
  return useMemo(() => {
    const names = [...detail.spans.filter(({ kind }) => kind === "part").map(({ name }) => name), ...detail.bytes.map(({ part }) => part), ...Object.values(detail.origins)];
    return partColours(screens, detail.row.screen, names);
  }, [detail, screens]);
}

function Content({ detail, other, compared, first, rows, screens }) {
  const colourOf = useColours(detail, screens);
  const tab = query.value.get("tab") ?? (other ? "differences" : "response");
  const tabs = [["response", "Response"], ["headers", "Headers"], ["logs", `Log lines ${detail.logs.length}`], ...(other ? [["differences", "Differences"]] : [])];
  const shown = tabs.some(([name]) => name === tab) ? tab : "response";
  return html`<${Head} detail=${detail} first=${first} rows=${rows} />
    <${Headline} headline=${detail.headline} isCompact />
    <${Comparison} detail=${detail} other=${other} problem=${compared.problem} first=${first} />
    <${Waterfall} detail=${detail} other=${other} colourOf=${colourOf} />
    <div class="bot"><div class="pane"><h3><${Tabs} label="What was sent" panel="pane" items=${tabs} chosen=${shown} choose=${(name) => setQuery({ tab: name === "response" && !other ? "" : name })} />${shown === "response" && detail.body && html`<span class="muted">colour: the part that a field came from</span><${CopyButton} class="btn copy" text=${() => pretty(detail.body)} />`}</h3>
      <div id="pane" role="tabpanel" tabindex="0" aria-label=${tabs.find(([name]) => name === shown)[1]}>${paneOf(shown, { detail, other, colourOf })}</div></div>
      <${BytesPerPart} detail=${detail} colourOf=${colourOf} /></div>`;
}

function paneOf(name, { detail, other, colourOf }) {
  if (name === "headers") return html`<${Headers} detail=${detail} />`;
  if (name === "logs") return html`<${LogLines} logs=${detail.logs} />`;
  if (name === "differences") return html`<${Differences} before=${other} after=${detail} />`;
  return html`<${ResponseBody} detail=${detail} colourOf=${colourOf} />`;
}

/** What the request is compared with, and what differs; or how to choose it. */
function Comparison({ detail, other, problem, first }) {
  if (!first) return null;
  const end = html`<button type="button" class="btn" onClick=${() => setQuery({ compare: "", tab: "" })}>End comparison</button>`;
  if (first === detail.row.id) return html`<${Headline} headline=${{ text: "Choose the request to compare this one with: click it in the list." }} isFact isCompact actions=${end} />`;
  if (!other) return problem && html`<${Headline} headline=${{ text: "The request to compare with is not stored any more." }} isFact isCompact actions=${end} />`;
  const text = `Compared with ${timeOfDay(other.row.time)}, ${duration(other.row.seconds)}: ${summaryOf(other, detail, { duration, bytes })}`;
  const another = html`<button type="button" class="btn" onClick=${() => setQuery({ compare: detail.row.id, tab: "" })}>Choose another</button>`;
  return html`<${Headline} headline=${{ text }} isFact isCompact actions=${another} />`;
}

/** The request that is most like one: the one before it with the same route, else the one after it. */
function likeness(row, rows) {
  const index = rows.findIndex(({ id }) => id === row.id);
  const same = ({ id, gateway, method, route }) => id !== row.id && gateway === row.gateway && method === row.method && route === row.route;
  return rows.slice(index + 1).find(same) ?? rows.slice(0, Math.max(0, index)).reverse().find(same);
}

function Head({ detail, first, rows }) {
  const { row } = detail;
  return html`<header class="dh"><div><h2><${Icon} name=${clientIcon(row.gateway)} size=${18} /><span>${nameOf(row)}</span> <${Badge} state=${row.state} /></h2>
    <p>${row.status || "no status"} · <b>${duration(row.seconds)}</b> · <b>${row.size === null ? "stream" : bytes(row.size)}</b> · <b>${count(detail.attempts, "attempt")}</b> for <b>${count(detail.calls, "call")}</b> · request <${ShortId} id=${row.id} what="request id" />${row.viewer && html` · viewer <${ShortId} id=${row.viewer} length=${4} what="viewer hash" />`}</p></div>
    <${Actions} detail=${detail} first=${first} rows=${rows} /></header>`;
}

function Actions({ detail, first, rows }) {
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
  const compare = () => setQuery({ compare: isComparing ? "" : (likeness(row, rows) ?? row).id, tab: "" });
  useKeys({ c: copy, r: replay, "=": compare });
  return html`<div class="acts"><span class="said" role="status">${said}</span>
    <button type="button" class="btn" onClick=${copy}>Copy as curl <kbd>c</kbd></button>
    <button type="button" class="btn" aria-disabled=${String(!detail.can_replay)} title=${detail.replay_note} onClick=${replay}>${isConfirming ? "Send it again anyway" : "Replay"} <kbd>r</kbd></button>
    <button type="button" class="btn" aria-pressed=${String(isComparing)} title="Compare with another request of the same route" onClick=${compare}>Compare <kbd>=</kbd></button></div>`;
}
