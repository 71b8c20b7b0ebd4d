import { type Html, html } from "./html.ts";
import { panelId, panelPart } from "./panels.ts";
import type { Report, ReportPanel } from "./report.ts";

/** The panels of one task, in the order of the page. */
interface Chapter {
  readonly title: string;
  readonly panels: readonly ReportPanel[];
}

/** A list of links to every panel, task by task; undefined where there is only one, which needs no list. */
export function contents({ panels }: Pick<Report, "panels">): Html | undefined {
  if (panels.length < 2) return undefined;
  return html`<nav class="contents" aria-labelledby="contents">
<h2 id="contents">Contents</h2>
<ol>
${chaptersOf(panels).map(
  ({ title, panels: some }) =>
    html`<li><span>${title}</span><ul>${some.map(
      (panel) => html`<li><a href="#${panelId(panel)}">${panelPart(panel)}</a></li>`,
    )}</ul></li>\n`,
)}<li><a href="#provenance">Where the numbers come from</a></li>
</ol>
</nav>
`;
}

function chaptersOf(panels: readonly ReportPanel[]): Chapter[] {
  const chapters = new Map<string, ReportPanel[]>();
  for (const panel of panels) chapters.set(panel.task, [...(chapters.get(panel.task) ?? []), panel]);
  return [...chapters.values()].map((some) => ({ title: some[0]!.asked.title, panels: some }));
}
