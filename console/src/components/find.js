// The command field: finds pages, screens, services and requests, and runs commands.
import { useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { post } from "../api.js";
import { installation, offeredPages, overview, togglePause } from "../live-stream.js";
import { go, hrefOf } from "../router.js";
import { hasLetterKeys, isComfortable, switchTheme } from "../settings.js";

const MOST = 8;

/** All that can be found: [kind, title, what a choice does]. */
function entries() {
  const pages = offeredPages().map(([name, { title }]) => ["page", title, () => go(hrefOf(name))]);
  const now = overview.value;
  const names = [...new Set((now?.screens ?? []).map(({ screen }) => screen))];
  const screens = names.map((name) => ["screen", name, () => go(hrefOf("screens", { subject: name }))]);
  const services = (now?.upstreams ?? []).map(({ upstream }) => ["service", upstream, () => go(hrefOf("upstreams", { subject: upstream }))]);
  return [...pages, ...screens, ...services, ...commands(), ...processCommands()];
}

/** Start or stop a service, where `bff dev` runs it; the page of faults shows what follows. */
function processCommands() {
  const services = (installation.value?.processes ?? []).filter(({ kind }) => kind === "service");
  return services.map(({ name, state }) => {
    const [verb, action] = state === "running" || state === "starting" ? ["Stop", "stop"] : ["Start", "start"];
    const run = () => post(`processes/${encodeURIComponent(name)}/${action}`);
    return ["command", `${verb} ${name}`, () => run().catch(() => undefined).then(() => go(hrefOf("faults")))];
  });
}

function commands() {
  return [
    ["command", "Switch the theme", switchTheme],
    ["command", isComfortable.value ? "Compact rows" : "Comfortable rows", () => (isComfortable.value = !isComfortable.value)],
    ["command", hasLetterKeys.value ? "Turn single-letter keys off" : "Turn single-letter keys on", () => (hasLetterKeys.value = !hasLetterKeys.value)],
    ["command", "Pause or go on", togglePause],
    ["command", "List the keys", () => document.dispatchEvent(new CustomEvent("console:keys"))],
    ["command", "Only degraded requests", () => go(hrefOf("requests", { query: { state: "degraded" } }))],
  ];
}

function matches(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = entries().filter(([kind, title]) => words.every((word) => `${kind} ${title}`.toLowerCase().includes(word)));
  const request = text.trim() && ["request", `Requests with “${text.trim()}”`, () => go(hrefOf("requests", { query: { text: text.trim() } }))];
  return [...found.slice(0, MOST), request].filter(Boolean);
}

/** The field at the right of the top bar. */
export function Find() {
  const [text, type] = useState("");
  const [at, point] = useState(0);
  const [isOpen, open] = useState(false);
  const field = useRef(null);
  const found = isOpen ? matches(text) : [];
  const run = (entry) => {
    open(false);
    type("");
    field.current.blur();
    entry?.[2]();
  };
  const press = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      point((at + step + found.length) % found.length);
    } else if (event.key === "Enter") run(found[at]);
    else if (event.key === "Escape") run(null);
  };
  const write = (event) => (type(event.target.value), point(0), open(true));
  const click = (entry) => (event) => (event.preventDefault(), run(entry));
  return html`<div class="find" role="search">
    <input id="find" ref=${field} type="text" placeholder="Find or run a command" aria-label="Find or run a command"
      autocomplete="off" spellcheck="false" role="combobox" aria-expanded=${String(isOpen)} aria-controls="found"
      aria-activedescendant=${isOpen ? `found-${at}` : undefined} value=${text}
      onInput=${write} onKeyDown=${press} onFocus=${() => open(true)} onBlur=${() => open(false)} />
    <kbd aria-hidden="true">/</kbd>
    <ul id="found" role="listbox" aria-label="Commands" hidden=${!isOpen}>
      ${found.map((entry, index) => html`<li id=${`found-${index}`} role="option" aria-selected=${String(index === at)} onMouseDown=${click(entry)}>
        <span>${entry[1]}</span><span class="muted">${entry[0]}</span></li>`)}
    </ul></div>`;
}
