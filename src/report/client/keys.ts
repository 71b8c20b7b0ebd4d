const KEYS: readonly (readonly [key: string, action: string])[] = [
  ["/", "filter models"],
  ["j", "next view; next row in the table of rows, as ↓"],
  ["k", "previous view; previous row in the table of rows, as ↑"],
  ["?", "this list"],
  ["Esc", "close this list"],
];

/** Handles the keys of the page. Arrows scroll unless a table of rows has the focus. */
export function handleKeys(): void {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", "Keyboard");
  const list = document.createElement("dl");
  list.className = "facts-list";
  for (const [key, action] of KEYS) {
    const term = document.createElement("dt");
    const name = document.createElement("kbd");
    name.textContent = key;
    term.append(name);
    const description = document.createElement("dd");
    description.textContent = action;
    list.append(term, description);
  }
  dialog.append(list);
  document.body.append(dialog);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "help";
  button.textContent = "Keyboard: ?";
  button.addEventListener("click", () => dialog.showModal());
  document.querySelector(".controls")?.append(button);

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    if (target instanceof HTMLElement && target.matches("input:not([type=radio]), select, textarea")) return;
    if (event.key === "/") document.getElementById("model-filter")?.focus();
    else if (event.key === "?") dialog.showModal();
    else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else return;
    event.preventDefault();
  });
}

/** Follows the link to the next or the previous view. */
function step(by: number): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>(".contents > li > a")];
  const current = links.findIndex((link) => link.parentElement?.classList.contains("current"));
  links[current + by]?.click();
}
