// What a reader prefers, in this browser: theme, density, and whether single letters are commands.
import { effect, signal } from "@preact/signals";

const NAME = "bff-console";

function stored() {
  try {
    return JSON.parse(localStorage.getItem(NAME)) ?? {};
  } catch {
    return {}; // storage is off: the settings last as long as the page
  }
}

const first = stored();

/** "" follows the system; "light" and "dark" don't. */
export const theme = signal(["light", "dark"].includes(first.theme) ? first.theme : "");
export const isComfortable = signal(first.isComfortable === true);
export const hasLetterKeys = signal(first.hasLetterKeys !== false);

function isDark() {
  return theme.value ? theme.value === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

export function switchTheme() {
  theme.value = isDark() ? "light" : "dark";
}

effect(() => {
  const { dataset } = document.documentElement;
  if (theme.value) dataset.theme = theme.value;
  else delete dataset.theme;
  dataset.density = isComfortable.value ? "comfortable" : "compact";
  const now = { theme: theme.value, isComfortable: isComfortable.value, hasLetterKeys: hasLetterKeys.value };
  try {
    localStorage.setItem(NAME, JSON.stringify(now));
  } catch {
    // storage is off
  }
});
