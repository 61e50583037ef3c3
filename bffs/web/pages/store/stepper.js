// A number that buttons and keys change, from `min` to `max`.
import { el, icon } from "../shared/dom.js";

/**
 * Draws a stepper; `changed(value)` is called with each new value. Returns {node, set, limit, disable}.
 *
 * What is typed counts when the field is left or Enter is pressed.
 */
export function stepper({ id, label, value, min = 1, max = 99, changed = () => {} }) {
  let now = value;
  let most = max;
  const field = el("input", { id, inputmode: "numeric", pattern: "[0-9]*", maxlength: 2, "aria-label": label, value: now, autocomplete: "off" });
  const less = el("button", { type: "button", id: `${id}-less`, "aria-label": `${label}: one less` }, icon("minus"));
  const more = el("button", { type: "button", id: `${id}-more`, "aria-label": `${label}: one more` }, icon("plus"));

  function set(next, { isSilent = false } = {}) {
    const before = now;
    now = Math.max(min, Math.min(Math.max(min, most), next));
    field.value = now;
    const focused = document.activeElement;
    less.disabled = now <= min;
    more.disabled = now >= most;
    if (focused?.disabled && [less, more].includes(focused)) field.focus({ preventScroll: true });
    if (!isSilent && now !== before) changed(now);
  }

  less.addEventListener("click", () => set(now - 1));
  more.addEventListener("click", () => set(now + 1));
  field.addEventListener("change", () => set(/^\d+$/.test(field.value.trim()) ? Number(field.value) : now));
  field.addEventListener("keydown", ({ key }) => {
    if (key === "ArrowUp") set(now + 1);
    if (key === "ArrowDown") set(now - 1);
  });
  set(now, { isSilent: true });
  return {
    node: el("span", { class: "stepper", role: "group", "aria-label": label }, less, field, more),
    set: (next) => set(next, { isSilent: true }),
    value: () => now,
    limit(next) {
      most = next;
      set(now, { isSilent: true });
    },
    disable(isDisabled) {
      for (const node of [less, field, more]) node.disabled = isDisabled;
      if (!isDisabled) set(now, { isSilent: true });
    },
  };
}
