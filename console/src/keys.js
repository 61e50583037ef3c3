// The keyboard: letters are commands outside of fields. The page on top is served first.
import { useLayoutEffect, useRef } from "preact/hooks";
import { go, hrefOf } from "./router.js";
import { hasLetterKeys, switchTheme } from "./settings.js";
import { offeredPages, togglePause } from "./live-stream.js";

const CHORD_SECONDS = 1.2;
const layers = [];
let chordUntil = 0;

const everywhere = {
  " ": togglePause,
  ".": switchTheme,
  "/": () => document.getElementById("find")?.focus(),
  "?": () => document.dispatchEvent(new CustomEvent("console:keys")),
};

/**
 * Binds keys while the component is shown: `useKeys({ j: next, Escape: close })`.
 *
 * Names are those of KeyboardEvent.key. A function that returns false lets the key go on to what
 * is below, and to the browser.
 */
export function useKeys(keys) {
  const layer = useRef(keys);
  layer.current = keys;
  useLayoutEffect(() => { // at once: what is shown takes keys
    layers.push(layer);
    return () => layers.splice(layers.indexOf(layer), 1);
  }, []);
}

function isField(target) {
  return target.closest?.("input:not([type=range], [type=checkbox]), textarea, select, [contenteditable='true'], .cm-editor") != null;
}

function ownsKey(target, key) {
  if (key === "Enter" || key === " ") return target.closest?.("a, button, summary, [role=button], [type=checkbox]") != null;
  return key.startsWith("Arrow") && target.closest?.("[role=menu], [role=tablist], [role=slider], [type=range], [role=combobox]") != null;
}

function press(event) {
  const { key, target } = event;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (isField(target)) return key === "Escape" ? target.blur() : undefined;
  if (ownsKey(target, key)) return;
  const isLetter = key.length === 1;
  if (isLetter && !hasLetterKeys.value) return;
  if (chord(key) || run(key)) event.preventDefault();
}

function chord(key) {
  const isSecond = performance.now() < chordUntil;
  chordUntil = !isSecond && key === "g" ? performance.now() + CHORD_SECONDS * 1000 : 0;
  if (!isSecond) return key === "g";
  const found = offeredPages().find(([, about]) => about.key === key);
  if (found) go(hrefOf(found[0]));
  return found !== undefined;
}

function run(key) {
  for (const layer of [...layers].reverse()) {
    const command = layer.current[key];
    if (command && command() !== false) return true;
  }
  const command = everywhere[key];
  return command !== undefined && command() !== false;
}

export function startKeys() {
  addEventListener("keydown", press);
}
