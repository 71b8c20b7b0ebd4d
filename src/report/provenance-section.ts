import { type Html, html } from "./html.ts";
import { panelTitle } from "./panels.ts";
import { provenanceFacts } from "./provenance.ts";
import type { Report } from "./report.ts";

/** One fold per cell: everything that identifies it, and how it ran. */
export function provenanceSection({ panels }: Report): Html {
  return html`<section aria-labelledby="provenance">
<h2 id="provenance">Where the numbers come from</h2>
<p>A cell is one task, asked of one model in one setting. Its identity is a digest of everything that can change the
answer; device, batch size and number of shards are not part of it.</p>
${panels.map(
  (panel) => html`<h3>${panelTitle(panel.asked.title, panel)}</h3>
${panel.entries.map(
  (entry) => html`<details>
<summary>${entry.label}, ${entry.protocol} protocol</summary>
<dl class="facts-list">${provenanceFacts(entry).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
</details>
`,
)}`,
)}</section>`;
}
