// The services behind all clients: their states come from the console of `bff dev`, which stops and starts them.
import { el, icon, replace } from "../shared/dom.js";

const HEADERS = { "Content-Type": "application/json", "X-BFF-Console": "1" };
const SAID = { running: "running", stopping: "stopping…", stopped: "stopped · start", starting: "starting…", faulty: "faulty", unknown: "–" };

/**
 * Shows a button per service in `list`, and follows their states. `changed(services, what)` is called with
 * [{name, state, detail}] after each change; `lost(isLost)` when the console does not answer, and when it does again;
 * `failed(sentence)` when a service could not be stopped or started.
 */
export function followServices({ list, origin, names, changed, lost, failed }) {
  const services = new Map(names.map((name) => [name, { name, state: "unknown", detail: "" }]));
  const buttons = new Map();
  const base = `${origin}/console/api/services`;
  replace(list, names.map((name) => el("li", {}, buttonOf(name))));

  function buttonOf(name) {
    const button = el("button", { type: "button", class: "service", onclick: () => toggle(name), "aria-disabled": "true" });
    buttons.set(name, button);
    draw(services.get(name));
    return button;
  }

  function draw({ name, state, detail }) {
    const button = buttons.get(name);
    const isRunning = state === "running" || state === "faulty";
    button.className = `service is-${state}`;
    button.setAttribute("aria-pressed", String(isRunning || state === "stopping"));
    button.toggleAttribute("aria-busy", false);
    if (state === "stopping" || state === "starting") button.setAttribute("aria-busy", "true");
    button.setAttribute("aria-disabled", String(state === "unknown"));
    button.title = detail ? `${name} ${detail}` : isRunning ? `Stop ${name}` : state === "stopped" ? `Start ${name}` : name;
    replace(button, icon(shapeOf(state), { size: 11 }), el("span", {}, name), el("small", { "data-action": isRunning ? "stop" : state === "stopped" ? "start" : (SAID[state] ?? state) }, SAID[state] ?? state));
  }

  function set(service) {
    const before = services.get(service.name);
    if (!before || (before.state === service.state && before.detail === service.detail)) return false;
    services.set(service.name, service);
    draw(service);
    return true;
  }

  function receive(received) {
    const news = received.map(set);
    if (news.some(Boolean)) changed([...services.values()]);
  }

  async function toggle(name) {
    const { state } = services.get(name);
    if (navigator.onLine === false) return failed(`This device is offline: ${name} can't be stopped or started now.`);
    const action = { running: "stop", faulty: "stop", stopped: "start" }[state];
    if (!action) return;
    set({ name, state: action === "stop" ? "stopping" : "starting", detail: "" });
    try {
      const response = await fetch(`${base}/${name}/${action}`, { method: "POST", headers: HEADERS, body: "{}" });
      const body = await response.json();
      if (!response.ok) throw new Error(body.detail || body.title);
      receive([body]);
    } catch (error) {
      const detail = `could not be ${action === "stop" ? "stopped" : "started"}: ${error.message}`;
      set({ name, state, detail });
      changed([...services.values()]);
      failed(`${name} ${detail}.`);
    }
  }

  const source = new EventSource(`${base}/live`);
  source.onmessage = ({ data }) => {
    lost(false);
    receive(JSON.parse(data).services);
  };
  source.onerror = () => lost(true);
}

/** Shows the names only, where no console runs: how a service is stopped is said by `hint`. */
export function listServices({ list, names }) {
  replace(list, names.map((name) => el("li", {}, el("span", { class: "service is-unknown" }, icon("missing", { size: 11 }), el("span", {}, name)))));
}

function shapeOf(state) {
  return { running: "ok", faulty: "fallback", stopped: "stopped", unknown: "missing" }[state] ?? "waiting";
}
