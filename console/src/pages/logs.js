// Logs.
import { Frame } from "../components/frame.js";
import { Empty } from "../components/panels.js";
import { html } from "../html.js";

export function Page() {
  return html`<${Frame} title="Logs"><${Empty} title="Nothing here yet" /><//>`;
}
