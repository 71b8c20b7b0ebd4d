/** The models that the page shows. */
export interface ModelFilter {
  readonly isShown: (model: string) => boolean;
  /** Calls a function whenever the filter changes. */
  onChange(changed: () => void): void;
}

/**
 * Adds an input to the controls that hides rows, keys and charts of models whose names contain none of its
 * words.
 */
export function filterModels(models: readonly string[]): ModelFilter {
  let words: readonly string[] = [];
  const changed: (() => void)[] = [];
  // Names of no model are classes or metrics, which are always shown.
  const isShown = (model: string) =>
    words.length === 0 || !models.includes(model) || words.some((word) => model.toLowerCase().includes(word));
  const label = document.createElement("label");
  label.className = "model-filter";
  label.textContent = "Models";
  const input = document.createElement("input");
  input.type = "search";
  input.id = "model-filter";
  input.placeholder = "filter by name";
  input.addEventListener("input", () => {
    words = input.value
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== "");
    for (const one of document.querySelectorAll<HTMLElement>("[data-model]")) {
      one.classList.toggle("filtered-out", !isShown(one.dataset.model ?? ""));
    }
    for (const call of changed) call();
  });
  label.append(input);
  document.querySelector(".controls")?.prepend(label);
  return { isShown, onChange: (call) => changed.push(call) };
}
