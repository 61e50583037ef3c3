// Bytes of the response by the part that they came from.
import { bytes } from "../../format.js";
import { html } from "../../html.js";

const NAMED = 5;
const GAP = 1.5;

export function BytesPerPart({ detail, colourOf }) {
  const parts = [...detail.bytes].sort((one, other) => other.sent - one.sent);
  const total = parts.reduce((sum, { sent }) => sum + sent, 0);
  const named = parts.length > NAMED + 1 ? parts.slice(0, NAMED) : parts;
  const rest = parts.slice(named.length).reduce((sum, { sent }) => sum + sent, 0);
  const shown = [...named.map(({ part, sent, received }) => ({ part, sent, received, colour: colourOf(part) })), ...(rest ? [{ part: "other", sent: rest, received: null, colour: 0 }] : [])];
  return html`<section class="bytes" aria-label="Bytes per part"><h3>Bytes per part</h3>
    ${total > 0 ? html`<${Shares} shown=${shown} total=${total} /><ul>${shown.map(({ part, sent, received, colour }) => html`<li title=${received === null || received === undefined ? undefined : `services sent ${bytes(received)}`}><i class=${`swatch ${colour ? `p${colour}` : "rest"}`}></i>${part}<span>${bytes(sent)}</span></li>`)}</ul>` : html`<p class="muted">Not known for this response.</p>`}
    ${detail.received !== null && html`<p class="muted">Services sent ${bytes(detail.received)} for it.</p>`}</section>`;
}

function Shares({ shown, total }) {
  let at = 0;
  return html`<svg viewBox="0 0 300 10" width="100%" height="10" preserveAspectRatio="none" role="img" aria-label=${shown.map(({ part, sent }) => `${part} ${bytes(sent)}`).join(", ")}>${shown.map(({ sent, colour }) => {
    const start = at;
    at += (sent / total) * 300;
    return html`<rect x=${start.toFixed(1)} y="0" width=${Math.max(1, at - start - GAP).toFixed(1)} height="10" rx="1.5" class=${colour ? `p${colour} f-part` : "f-wait"} />`;
  })}</svg>`;
}
