// The last screens of a customer, for the time without a network. They end with the sign-in.

const PREFIX = "shop:screen:";
const MOST_SCREENS = 24;
const MOST_CHARACTERS = 200_000;

/**
 * Returns the saved screens of one app and customer: savedScreens("phone", "1").
 *
 * `put(screen, value)` stores JSON; `get(screen)` returns {value, at} (milliseconds since 1970), or null.
 */
export function savedScreens(app, customer, storage = globalThis.localStorage) {
  const keyOf = (screen) => `${PREFIX}${customer}:${app}:${screen}`;
  return {
    put(screen, value) {
      const text = JSON.stringify({ value, at: Date.now() });
      if (text.length <= MOST_CHARACTERS) store(storage, keyOf(screen), text);
    },
    get: (screen) => parsed(storage.getItem(keyOf(screen))),
  };
}

/** Removes the screens of all customers; with `except`, of all but one. */
export function forgetScreens({ except = null, storage = globalThis.localStorage } = {}) {
  const spared = except === null ? null : `${PREFIX}${except}:`;
  for (const key of keysOf(storage)) if (spared === null || !key.startsWith(spared)) storage.removeItem(key);
}

function store(storage, key, text) {
  const others = keysOf(storage).filter((one) => one !== key);
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

function keysOf(storage) {
  const keys = Array.from({ length: storage.length }, (_, number) => storage.key(number));
  return keys.filter((key) => key.startsWith(PREFIX));
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
