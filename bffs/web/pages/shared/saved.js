// What this browser stores of a customer: the last screens, for the time without a network, and what was begun.
// All of it has one prefix, and ends with the sign-in.
import { isObject } from "./answer.js";

const PREFIX = "shop:of:";
const SCREEN = /^shop:of:[^:]*:screen:/;
const PURCHASE = /^shop:of:[^:]*:purchase:/;
const MOST_SCREENS = 24;
const MOST_CHARACTERS = 200_000;
/** What stays of a purchase after a sign-out: without its key, the same cart could be bought twice. */
const PURCHASE_MEMBERS = ["key", "customer", "method", "at", "isOpen", "isUnknown"];

/**
 * Returns the saved screens of one app and customer: savedScreens("phone", "1").
 *
 * `put(screen, value)` stores JSON, an object with a `body`; `get(screen)` returns {value, at} (milliseconds since
 * 1970), or null, also for what is no such screen; `drop(screen)` removes one that can't be drawn.
 */
export function savedScreens(app, customer, storage = globalThis.localStorage) {
  const keyOf = (screen) => keyFor(customer, "screen", `${app}:${screen}`);
  return {
    put(screen, value) {
      const text = JSON.stringify({ value, at: Date.now() });
      if (text.length <= MOST_CHARACTERS) store(storage, keyOf(screen), text);
    },
    get(screen) {
      const found = parsed(storage.getItem(keyOf(screen)));
      return Number.isFinite(found?.at) && isObject(found.value?.body) ? found : null;
    },
    drop: (screen) => storage.removeItem(keyOf(screen)),
  };
}

/** Returns a storage for entries of one customer, of the kind "prices" or "purchase". */
export function storageOf(customer, kind, storage = globalThis.localStorage) {
  const keyOf = (name) => keyFor(customer, kind, name);
  return {
    getItem: (name) => storage.getItem(keyOf(name)),
    setItem: (name, text) => storage.setItem(keyOf(name), text),
    removeItem: (name) => storage.removeItem(keyOf(name)),
  };
}

/**
 * Removes what is stored of all customers; with `except`, of all but one. Of a purchase its key stays, without what
 * it is for.
 */
export function forgetViewers({ except = null, storages = [globalThis.localStorage, globalThis.sessionStorage] } = {}) {
  const spared = except === null ? null : keyFor(except, "", "").slice(0, -1);
  for (const storage of storages) {
    for (const key of keysOf(storage, (one) => one.startsWith(PREFIX))) {
      if (spared !== null && key.startsWith(spared)) continue;
      if (PURCHASE.test(key)) reduce(storage, key);
      else storage.removeItem(key);
    }
  }
}

function reduce(storage, key) {
  const purchase = parsed(storage.getItem(key));
  if (typeof purchase?.key !== "string") return storage.removeItem(key);
  const rest = Object.fromEntries(PURCHASE_MEMBERS.filter((name) => name in purchase).map((name) => [name, purchase[name]]));
  storage.setItem(key, JSON.stringify(rest));
}

function keyFor(customer, kind, name) {
  return `${PREFIX}${encodeURIComponent(customer)}:${kind}:${name}`;
}

function store(storage, key, text) {
  const others = keysOf(storage, (one) => SCREEN.test(one) && one !== key);
  others.sort((one, other) => atOf(storage, one) - atOf(storage, other));
  while (others.length >= MOST_SCREENS) storage.removeItem(others.shift());
  for (;;) {
    try {
      storage.setItem(key, text);
      return;
    } catch {
      if (!others.length) return; // no room: the screen is not saved
      storage.removeItem(others.shift());
    }
  }
}

function keysOf(storage, isWanted) {
  const keys = Array.from({ length: storage.length }, (_, number) => storage.key(number));
  return keys.filter(isWanted);
}

function atOf(storage, key) {
  return parsed(storage.getItem(key))?.at ?? 0;
}

function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}
