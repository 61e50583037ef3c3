// JSON as text.

/** The value of a text; undefined if it is empty or not JSON. */
export function valueOf(text) {
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}

/** JSON with line breaks; other text as it is. */
export function pretty(text) {
  const value = valueOf(text);
  return value === undefined ? text : JSON.stringify(value, null, 2);
}
