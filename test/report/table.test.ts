import { describe, expect, test } from "vitest";
import { htmlTable } from "../../src/report/html.ts";
import { escapeLatex, latexTable, markdownTable, plainTable, type Table } from "../../src/report/table.ts";

const table: Table = {
  caption: "Two models",
  columns: [
    { heading: "model", align: "left" },
    { heading: "accuracy", align: "right" },
  ],
  rows: [
    ["a_b|c", { text: "0.731", detail: "[0.705, 0.756]" }],
    ["x", "–"],
  ],
  notes: ["x: no accuracy: it has no rows."],
};

test("plain", () => {
  expect(plainTable(table)).toMatchInlineSnapshot(`
    "Two models

    model              accuracy
    ─────  ────────────────────
    a_b|c  0.731 [0.705, 0.756]
    x                         –

    x: no accuracy: it has no rows."
  `);
});

test("Markdown", () => {
  expect(markdownTable(table)).toMatchInlineSnapshot(`
    "**Two models**

    | model | accuracy |
    | :--- | ---: |
    | a\\_b\\|c | 0.731 \\[0.705, 0.756\\] |
    | x | – |

    - x: no accuracy: it has no rows."
  `);
});

test("LaTeX", () => {
  expect(latexTable(table)).toMatchInlineSnapshot(`
    "\\begin{table}
    \\centering
    \\caption{Two models}
    \\begin{tabular}{lr}
      \\toprule
      model & accuracy \\\\
      \\midrule
      a\\_b|c & 0.731 [0.705, 0.756] \\\\
      x & -- \\\\
      \\bottomrule
    \\end{tabular}
    \\par\\footnotesize x: no accuracy: it has no rows.
    \\end{table}"
  `);
});

test("HTML: caption, headings with scope, escaped text", () => {
  const text = String(htmlTable({ ...table, rows: [["<img src=x onerror=alert(1)>", "&"]] }));
  expect(text).toContain("<caption>Two models</caption>");
  expect(text).toContain('<th scope="col" class="number">accuracy</th>');
  expect(text).toContain(
    '<th scope="row">&lt;img src=x onerror=alert(1)&gt;</th><td class="number">&amp;</td>',
  );
});

test("HTML: long headings get room, arrows stay with their word", () => {
  const heading = "paired accuracy of pairs with equal numbers of tokens ↑";
  const text = String(htmlTable({ ...table, columns: [table.columns[0], { heading, align: "right" }] }));
  expect(text).toContain(`<th scope="col" class="number long">${heading.replace(" ↑", "\u00a0↑")}</th>`);
});

describe("escaping", () => {
  test("Markdown cells contain no markup", () => {
    const hostile = "a|b *c* [d](e) <f> `g`\nh";
    const line = markdownTable({ ...table, rows: [[hostile, "1"]] }).split("\n")[4];
    expect(line).toBe("| a\\|b \\*c\\* \\[d\\](e) \\<f\\> \\`g\\` h | 1 |");
  });

  test("LaTeX cells contain no commands", () => {
    expect(escapeLatex("50 % of \\foo{a_b} & $x^2 ~ #1")).toBe(
      "50 \\% of \\textbackslash{}foo\\{a\\_b\\} \\& \\$x\\textasciicircum{}2 \\textasciitilde{} \\#1",
    );
    expect(escapeLatex("3.2×10⁻⁴¹ ± −1")).toBe("3.2$\\times$10$^{-41}$ $\\pm$ $-$1");
  });
});
