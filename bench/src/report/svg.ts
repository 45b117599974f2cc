/** An SVG element; a child that is a string is text. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly children: readonly (Element | string)[];
}

export function element(
  name: string,
  attributes: Element["attributes"],
  ...children: readonly (Element | string)[]
): Element {
  return { name, attributes, children };
}

/** The text of a file with a picture of that size, in pixels. */
export function svg(width: number, height: number, children: readonly Element[]): string {
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    "font-family": "system-ui, sans-serif",
    "font-size": 12,
    fill: "#24292f",
  };
  const ground = element("rect", { width, height, fill: "#ffffff" });
  return `${render(element("svg", attributes, ground, ...children))}\n`;
}

function render(node: Element | string): string {
  if (typeof node === "string") return escaped(node);
  const attributes = Object.entries(node.attributes).map(([name, value]) => ` ${name}="${escaped(valueText(value))}"`);
  const start = `<${node.name}${attributes.join("")}`;
  return node.children.length === 0 ? `${start}/>` : `${start}>${node.children.map(render).join("")}</${node.name}>`;
}

/** A tenth of a pixel is seen by nobody. */
function valueText(value: string | number): string {
  return typeof value === "number" ? String(Math.round(value * 10) / 10) : value;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
