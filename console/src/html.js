// Templates: `html` makes Preact elements out of a tagged template, without a build step.
import { h } from "preact";
import htm from "htm";

export const html = htm.bind(h);
