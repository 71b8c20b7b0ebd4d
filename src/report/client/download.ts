/** Pixels of a PNG for each CSS pixel. */
const SCALE = 2;

/** Buttons that save the charts of a figure as SVG or PNG. */
export function downloadButtons(figure: HTMLElement, name: string): HTMLElement {
  const bar = document.createElement("p");
  bar.className = "downloads";
  for (const kind of ["svg", "png"] as const) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = kind.toUpperCase();
    button.setAttribute("aria-label", `Save the figure as ${kind.toUpperCase()}`);
    button.addEventListener("click", () => {
      figure.querySelectorAll<SVGSVGElement>(".chart svg[role=img]").forEach((svg, i) => {
        void save(svg, `${name}-${i}`, kind);
      });
    });
    bar.append(button);
  }
  return bar;
}

async function save(svg: SVGSVGElement, name: string, kind: "svg" | "png"): Promise<void> {
  const text = standalone(svg);
  if (kind === "svg") return offer(new Blob([text], { type: "image/svg+xml" }), `${name}.svg`);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = SCALE * svg.clientWidth;
  canvas.height = SCALE * svg.clientHeight;
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("the browser draws no images");
  context.scale(SCALE, SCALE);
  context.drawImage(image, 0, 0);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  if (blob === null) throw new Error("the browser writes no PNG");
  offer(blob, `${name}.png`);
}

/** The SVG with the colours and font that the page's style gives it, on the page's background. */
function standalone(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const [from, to] = [
    [svg, ...svg.querySelectorAll("*")],
    [copy, ...copy.querySelectorAll("*")],
  ];
  from.forEach((one, i) => {
    const style = getComputedStyle(one);
    for (const name of ["fill", "stroke", "font-family", "font-size"]) {
      to[i]?.setAttribute(name, style.getPropertyValue(name));
    }
  });
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  ground.setAttribute("width", "100%");
  ground.setAttribute("height", "100%");
  ground.setAttribute("fill", getComputedStyle(document.body).backgroundColor);
  copy.prepend(ground);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return new XMLSerializer().serializeToString(copy);
}

function offer(blob: Blob, name: string): void {
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(blob);
  anchor.download = name;
  anchor.click();
  URL.revokeObjectURL(anchor.href);
}
