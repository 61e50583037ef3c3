// Composed JSON as lines, each with the part that it came from. No drawing.

const INLINE = 76; // characters of a value that stay on one line
const MOST_LINES = 600;

/**
 * The lines of a value, without the braces around it: {pointer, text, part, fold}; `fold` is "open" or "closed" where a click
 * changes what is shown, and `pointer` what it changes.
 *
 * `origins` maps JSON pointers to parts, `toggled` are the pointers that are not as they are first.
 */
export function linesOf(value, origins, toggled) {
  const context = { origins, toggled, mixed: mixedOf(origins), lines: [] };
  if (value !== null && typeof value === "object" && !Array.isArray(value)) printMembers(context, value, "", 1);
  else print(context, value, "", 0, "", "");
  const all = context.lines;
  return all.length > MOST_LINES ? [...all.slice(0, MOST_LINES), { pointer: "", text: `… ${all.length - MOST_LINES} more lines, copy to read them`, part: "", fold: "" }] : all;
}

/** The part of a pointer: that of the longest pointer in `origins` that covers it. */
export function partOf(origins, pointer) {
  for (let at = pointer; ; at = at.slice(0, at.lastIndexOf("/"))) {
    if (at in origins) return origins[at];
    if (!at) return "";
  }
}

/** The pointers below which parts differ. */
function mixedOf(origins) {
  const mixed = new Set();
  for (const [pointer, part] of Object.entries(origins)) {
    for (let at = pointer; at; ) {
      at = at.slice(0, at.lastIndexOf("/"));
      if (partOf(origins, at) !== part) mixed.add(at);
    }
  }
  return mixed;
}

function print(context, value, pointer, depth, key, after) {
  const isContainer = value !== null && typeof value === "object" && Object.keys(value).length > 0;
  const isOpenFirst = depth === 0 || context.mixed.has(pointer);
  const isOpen = isContainer && isOpenFirst !== context.toggled.has(pointer);
  if (!isContainer || !isOpen) {
    const text = brief(value);
    return add(context, pointer, depth, `${key}${text}${after}`, isContainer && text !== JSON.stringify(value) ? "closed" : "");
  }
  return Array.isArray(value) ? printArray(context, value, pointer, depth, key, after) : printObject(context, value, pointer, depth, key, after);
}

function add(context, pointer, depth, text, fold) {
  context.lines.push({ pointer, text: "  ".repeat(depth) + text, part: partOf(context.origins, pointer), fold });
}

function printObject(context, value, pointer, depth, key, after, end = "}") {
  add(context, pointer, depth, `${key}{`, depth ? "open" : "");
  printMembers(context, value, pointer, depth + 1);
  add(context, pointer, depth, `${end}${after}`, "");
}

function printMembers(context, value, pointer, depth) {
  const names = Object.keys(value);
  names.forEach((name, index) => {
    const below = `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    print(context, value[name], below, depth, `${JSON.stringify(name)}: `, index < names.length - 1 ? "," : "");
  });
}

/** An array shows its first item, and the others as "+19" until they are wanted. */
function printArray(context, value, pointer, depth, key, after) {
  const isWhole = context.toggled.has(`${pointer}/*`) || value.length === 1;
  const first = value[0];
  if (!isWhole && first !== null && typeof first === "object" && !Array.isArray(first)) {
    add(context, pointer, depth, `${key}[ {`, "open");
    printMembers(context, first, `${pointer}/0`, depth + 1);
    return addMore(context, pointer, depth, `}, +${value.length - 1} ]${after}`);
  }
  add(context, pointer, depth, `${key}[`, "open");
  const shown = isWhole ? value : value.slice(0, 1);
  shown.forEach((item, index) => print(context, item, `${pointer}/${index}`, depth + 1, "", index < value.length - 1 ? "," : ""));
  return isWhole ? add(context, pointer, depth, `]${after}`, "") : addMore(context, pointer, depth, `+${value.length - 1} ]${after}`);
}

function addMore(context, pointer, depth, text) {
  add(context, pointer, depth, text, "closed");
  context.lines.at(-1).pointer = `${pointer}/*`;
}

/** A value on one line: the members of what is inside are left out where they are many. */
export function brief(value) {
  const whole = JSON.stringify(value);
  if (value === null || typeof value !== "object" || whole.length <= INLINE / 2) return spaced(value) ?? whole;
  if (Array.isArray(value)) return value.length === 1 ? `[ ${short(value[0], 1)} ]` : `[ ${short(value[0], 1)}, +${value.length - 1} ]`;
  return short(value, 2);
}

function spaced(value) {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return value.length ? `[ ${value.map(spaced).join(", ")} ]` : "[]";
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${spaced(member)}`);
  return members.length ? `{ ${members.join(", ")} }` : "{}";
}

function short(value, depth) {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.length}]`;
  if (!depth) return "{…}";
  let length = 0;
  const members = [];
  for (const [name, member] of Object.entries(value)) {
    const text = `${JSON.stringify(name)}: ${short(member, depth - 2)}`;
    if ((length += text.length) > INLINE && members.length) return `{ ${members.join(", ")}, … }`;
    members.push(text);
  }
  return members.length ? `{ ${members.join(", ")} }` : "{}";
}

const MOST_DIFFERENCES = 200;

/** How two JSON values differ: [{pointer, before, after}]; undefined stands for nothing. */
export function differences(before, after, pointer = "", found = []) {
  if (found.length >= MOST_DIFFERENCES || before === after) return found;
  const areBoth = [before, after].every((value) => value !== null && typeof value === "object");
  if (!areBoth || Array.isArray(before) !== Array.isArray(after)) {
    found.push({ pointer, before, after });
    return found;
  }
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const below = `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    differences(before[name], after[name], below, found);
  }
  return found;
}
