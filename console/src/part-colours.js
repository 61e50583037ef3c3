// The colour of a part: the same on all pages, for all clients of its screen.

const COLOURS = 10;

/**
 * Returns the function from the name of a part to its colour, 1 to 10; 0 for another name.
 *
 * `screens` are ScreenNames. Parts of `screen` are counted in the order of its class; `others` are
 * those of a request that are in no such list, and follow them.
 */
export function partColours(screens, screen, others = []) {
  const own = (screens ?? []).find((one) => one.screen === screen)?.parts ?? [];
  const colours = new Map([...new Set([...own, ...others])].map((name, index) => [name, (index % COLOURS) + 1]));
  return (part) => colours.get(part) ?? 0;
}

/** The class that gives a part its colour. */
export function partClass(colour) {
  return colour ? `p${colour}` : "";
}
