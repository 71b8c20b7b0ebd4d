/**
 * Shows one view at a time, by the fragment of the address: that of the element with this id, the first view
 * without one. Without this function all views follow one another.
 *
 * @param shown  called with the fragment whenever it changes
 */
export function routeViews(shown: (id: string) => void): void {
  const views = [...document.querySelectorAll<HTMLElement>("main > .view")];
  const links = [...document.querySelectorAll<HTMLAnchorElement>(".contents a")];
  document.documentElement.classList.add("routed");

  const show = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id === "" ? null : document.getElementById(id);
    if (target?.id === "main") return;
    const view = target?.closest<HTMLElement>("main > .view") ?? views[0];
    if (view === undefined) return;
    for (const one of views) one.classList.toggle("current", one === view);
    for (const link of links) {
      const of = document.getElementById(link.hash.slice(1))?.closest("main > .view");
      link.closest(".contents > li")?.classList.toggle("current", of === view);
    }
    for (let fold = target?.closest("details"); fold != null; fold = fold.parentElement?.closest("details")) {
      fold.open = true;
    }
    if (target === null || target === view) window.scrollTo(0, 0);
    else target.scrollIntoView();
    mark();
    shown(id);
  };

  /** Marks the link to the last heading above the top of the window. */
  const mark = () => {
    let current: HTMLAnchorElement | undefined;
    for (const link of links) {
      const target = document.getElementById(link.hash.slice(1));
      if (target === null || target.offsetParent === null) continue;
      if (target.getBoundingClientRect().top < 120 || current === undefined) current = link;
    }
    for (const link of links) {
      if (link === current) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    }
  };

  addEventListener("hashchange", show);
  addEventListener("scroll", mark, { passive: true });
  show();
}
