/** Text that is already HTML. Made by `html` alone, so that nothing gets into a page unescaped by mistake. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

type Part = string | number | Html | undefined | readonly Part[];

/**
 * A piece of a page. Every value put in is escaped, unless it is itself such a piece; lists are joined, `undefined`
 * leaves nothing.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((text, string, i) => text + render(parts[i - 1]) + string));
}

function render(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Html) return part.toString();
  if (typeof part === "object") return part.map(render).join("");
  return escapeHtml(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => ENTITIES[letter]!);
}

/**
 * JSON that can stand inside a `<script>` element: no `<`, so no end tag and no comment can begin in it, and neither of
 * the two line ends that JSON allows and JavaScript did not.
 */
export function embeddedJson(value: unknown): Html {
  const asUnicode = (letter: string) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return new Html(JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, asUnicode));
}
