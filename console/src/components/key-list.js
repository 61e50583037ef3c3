// The list of keys, opened by `?`.
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { hasLetterKeys, isComfortable, switchTheme } from "../settings.js";

/** What a visitor should know first. */
export const ABOUT = "A Backend-for-Frontend calls your services and answers each kind of client with what it needs.";

const KEYS = [
  ["/", "find or run a command"], ["g o", "Overview; g r Requests, g s Screens, g u Upstreams, g f Faults, g a API, g l Logs, g t Sessions"],
  ["j k", "next, previous: in Requests, Upstreams, and in API for REST"], ["enter esc", "open, close: in Requests"],
  ["[ ]", "previous, next request"], ["← →", "fold, unfold"], ["f", "filter"], ["d", "only degraded"], ["space", "pause"],
  ["c", "copy as curl"], ["r", "replay"], ["=", "compare"], ["0", "reset all faults, after confirmation"], [".", "theme"], ["?", "this list"],
];

/** A dialog with all keys and the settings of this browser. */
export function KeyList() {
  const dialog = useRef(null);
  useEffect(() => {
    const open = () => dialog.current.open || dialog.current.showModal();
    document.addEventListener("console:keys", open);
    return () => document.removeEventListener("console:keys", open);
  }, []);
  const check = (setting) => ({ type: "checkbox", checked: setting.value, onChange: (event) => (setting.value = event.target.checked) });
  return html`<dialog class="keylist" ref=${dialog} aria-labelledby="keys-title" onClick=${(event) => event.target === dialog.current && dialog.current.close()}>
    <header><h2 id="keys-title">Keys</h2><button type="button" class="btn" onClick=${() => dialog.current.close()}>Close <kbd>esc</kbd></button></header>
    <p class="muted">${ABOUT}</p>
    <dl class="keys">${KEYS.map(([keys, text]) => html`<div><dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${text}</dd></div>`)}</dl>
    <p><label><input ...${check(hasLetterKeys)} /> Single letters are commands</label> <label><input ...${check(isComfortable)} /> Comfortable rows</label>
      <button type="button" class="btn" onClick=${switchTheme}>Switch the theme <kbd>.</kbd></button></p>
  </dialog>`;
}
