/** Colours of pages and figures by role: in the light and in the dark theme. */
const THEMES = {
  sheet: ["#ffffff", "#14171a"],
  ground: ["#f6f7f8", "#1b1f23"],
  ink: ["#16191d", "#e8eaed"],
  "ink-soft": ["#555e68", "#a5aeb8"],
  line: ["#d5d9de", "#3a4148"],
  "line-soft": ["#eaecef", "#272c31"],
  accent: ["#0b6aa8", "#6cb6ea"],
  warm: ["#c2571a", "#e79a63"],
  right: ["#0b6aa8", "#6cb6ea"],
  wrong: ["#a89a92", "#8d817a"],
  tie: ["#c98a00", "#e0b445"],
  // Models and classes, after Okabe & Ito (2008).
  "series-0": ["#0072b2", "#4aa8e0"],
  "series-1": ["#d55e00", "#f08544"],
  "series-2": ["#009e73", "#2fc79b"],
  "series-3": ["#c0609a", "#dd96c0"],
  "series-4": ["#b98200", "#eab13a"],
  "series-5": ["#3a9bd0", "#9ad0f2"],
  "series-6": ["#6b6b6b", "#b5b5b5"],
  "series-7": ["#8c6d31", "#c9a866"],
  // Bases of sequence logos.
  "base-a": ["#0e7f3c", "#3fbf73"],
  "base-c": ["#255c99", "#6aa5e3"],
  "base-g": ["#b87900", "#f0b43c"],
  "base-t": ["#c62336", "#f0707d"],
} as const;

/** The colours as CSS variables, which follow the page's theme. */
export const colourRules = `:root{${Object.entries(THEMES)
  .map(([name, [light, dark]]) => `--${name}:light-dark(${light},${dark});`)
  .join("")}}`;

/**
 * A CSS value with the colours of the light theme in place of variables.
 * @throws {RangeError} for other names
 */
export const inLightTheme = (value: string): string =>
  value.replace(/var\(--([\w-]+)\)/g, (_, name: string) => {
    const found = new Map<string, readonly string[]>(Object.entries(THEMES)).get(name);
    if (found === undefined) throw new RangeError(`no colour has the name ${name}`);
    return found[0];
  });
