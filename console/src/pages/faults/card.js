// A mock service: sliders for its faults, stop and start.
import { useEffect, useRef, useState } from "preact/hooks";
import { post, put, remove } from "../../api.js";
import { Badge, Shape } from "../../components/state.js";
import { count, number, timeOfDay } from "../../format.js";
import { html } from "../../html.js";
import { More } from "./more.js";
import { bodyOf, isFaulted, parsed, SLIDERS, wordOf } from "./values.js";

const APPLY_AFTER = 150; // ms after the last movement

/** What is changed but not yet confirmed by the service, and how to change it. */
function useDraft(card, setCard) {
  const [draft, change] = useState({});
  const [problem, fail] = useState(null);
  const newest = useRef({ draft: {}, timer: 0, version: 0 });
  const apply = async () => {
    const version = newest.current.version;
    try {
      const answer = await put(`faults/${encodeURIComponent(card.service)}`, bodyOf(card, newest.current.draft));
      if (version !== newest.current.version) return; // moved on meanwhile
      setCard(answer);
      fail(null);
    } catch (error) {
      if (version !== newest.current.version) return;
      fail(error);
    }
    change((newest.current.draft = {}));
  };
  const edit = (changes) => {
    const next = { ...newest.current.draft, ...changes };
    clearTimeout(newest.current.timer);
    newest.current = { draft: next, version: newest.current.version + 1, timer: setTimeout(apply, APPLY_AFTER) };
    change(next);
  };
  useEffect(() => () => clearTimeout(newest.current.timer), []);
  return { shown: { ...card, ...draft }, edit, problem, fail };
}

export function Card({ card, setCard, reload }) {
  const { shown, edit, problem, fail } = useDraft(card, setCard);
  const [isOpen, open] = useState(false);
  const isRunning = card.state === "running";
  const run = async (action) => {
    try {
      await action();
      fail(null);
      await reload();
    } catch (error) {
      fail(error);
    }
  };
  const reset = () => run(async () => setCard(await remove(`faults/${encodeURIComponent(card.service)}`)));
  const kind = isRunning ? (isFaulted(shown) ? "set" : "") : card.state === "starting" ? "" : "down";
  return html`<article class="card fc ${kind}" aria-label=${card.service}>
    <header><h2>${card.service}</h2><span class="muted mono">:${card.port}</span><span class="grow"></span><${StateOf} card=${shown} /></header>
    ${card.takes_faults || !isRunning ? html`<div class="sl">${SLIDERS.map((slider) => html`<${Slider} key=${slider.name} slider=${slider} service=${card.service} value=${shown[slider.name]} edit=${edit} isOff=${!isRunning} />`)}</div>`
      : html`<p class="nofaults muted">It has no control route <code>/__faults__</code>, so it can only be stopped and started. Mocks of <code>bff add service</code> have one; an ASGI app gets it by <code>app.add_middleware(MockFaults)</code> of <code>bff_core.mocks</code>.</p>`}
    ${isOpen && isRunning && html`<${More} card=${shown} edit=${edit} close=${() => open(false)} />`}
    <footer>${problem ? html`<span class="t-failed why" role="alert" title=${problem.detail}>${problem.title}</span>` : html`<span class="muted why">${footOf(card, shown)}</span>`}<span class="grow"></span>
      ${isRunning && card.takes_faults && html`<button type="button" class="btn plain" aria-expanded=${String(isOpen)} aria-label=${`${isOpen ? "Less" : "More"} faults of ${card.service}`} onClick=${() => open(!isOpen)}>${isOpen ? "Less" : "More"}</button>`}
      ${isRunning && isFaulted(shown) && html`<button type="button" class="btn" aria-label=${`Reset ${card.service}`} onClick=${reset}>Reset</button>`}
      <${Power} card=${card} run=${run} /></footer>
  </article>`;
}

function footOf(card, shown) {
  if (card.state !== "running") return card.since ? `since ${timeOfDay(card.since)}` : "";
  if (shown.others.length) return shown.others.join("; ");
  if (!isFaulted(shown) || !card.hits) return "";
  return card.calls === null || card.calls === undefined ? `${count(card.hits, "call")} hit` : `${number(card.hits)} of ${number(card.calls)} hit`;
}

function StateOf({ card }) {
  if (card.state !== "running") return html`<${Badge} state=${card.state === "starting" ? "fallback" : "failed"} word=${card.state} />`;
  if (isFaulted(card)) return html`<${Badge} state="fallback" word="faulted" />`;
  return html`<span class="quiet"><${Shape} state="ok" />healthy</span>`;
}

/** Stops or starts the process of a service. */
function Power({ card, run }) {
  const [isBusy, work] = useState(false);
  const isStopped = card.state === "stopped" || card.state === "failed";
  const verb = isStopped ? "Start" : "Stop";
  const press = async () => {
    work(true);
    await run(() => post(`processes/${encodeURIComponent(card.service)}/${verb.toLowerCase()}`));
    work(false);
  };
  return html`<button type="button" class="btn ${isStopped ? "go" : ""}" aria-label=${`${verb} ${card.service}`} disabled=${isBusy || card.state === "starting"} onClick=${press}>${verb}</button>`;
}

/** A slider, and a field for values beyond its end. */
function Slider({ slider, service, value, edit, isOff }) {
  const { name, max, step, factor } = slider;
  const place = Math.min(max, Math.round(value * factor));
  const word = wordOf(slider, value);
  const field = useRef(null);
  useEffect(() => {
    if (document.activeElement !== field.current) field.current.value = word;
  }, [word]);
  const take = () => {
    const next = parsed(slider, field.current.value);
    if (next !== null && next !== value) edit({ [name]: next });
    else field.current.value = word;
  };
  const onKeyDown = (event) => {
    if (event.key === "Enter") take();
    if (event.key === "Escape") field.current.value = word;
  };
  return html`<div class=${`one ${value ? "" : "z"}`}><span aria-hidden="true">${name}</span>
    <input type="range" min="0" max=${max} step=${step} value=${place} disabled=${isOff} aria-label=${`${service}: ${name}`} aria-valuetext=${word === "–" ? "none" : word}
      style=${{ "--v": `${(place / max) * 100}%` }} onInput=${(event) => edit({ [name]: Number(event.target.value) / factor })} />
    <input type="text" ref=${field} disabled=${isOff} aria-label=${`${service}: ${name}, typed`} autocomplete="off" spellcheck=${false} onFocus=${(event) => event.target.select()} onBlur=${take} onKeyDown=${onKeyDown} /></div>`;
}
