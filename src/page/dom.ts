/* Elements without markup: texts become text nodes, attributes come from constants, and
 * an address to follow must be a Link. */
import type { Link } from "./link";

export type Child = Node | string | null;
type Attribute = string | boolean | ((event: Event) => void);

function setAttribute(element: Element, name: string, value: Attribute): void {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (/^on|^href$|^src$|^style$/.test(name)) throw new Error(`no attribute ${name} here`);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, value);
}

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, Attribute> = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
    element.append(...children.filter((child): child is Node | string => child !== null));
    return element;
}

/* An anchor to one of the addresses that link.ts knows. */
export function anchor(link: Link, attributes: Record<string, Attribute>, ...children: Child[]): HTMLAnchorElement {
    const element = h("a", attributes, ...children);
    element.href = link.href;
    element.rel = "noopener noreferrer";
    if (link.href.startsWith("https:")) element.target = "_blank";
    return element;
}

export function svg(viewBox: string, path: string, attributes: Record<string, string>): SVGSVGElement {
    const space = "http://www.w3.org/2000/svg";
    const image = document.createElementNS(space, "svg");
    const shape = document.createElementNS(space, "path");
    image.setAttribute("viewBox", viewBox);
    for (const [name, value] of Object.entries(attributes)) setAttribute(image, name, value);
    shape.setAttribute("d", path);
    image.append(shape);
    return image;
}

const icons = {
    lock: "M7 10V7a5 5 0 0 1 10 0v3M5 10h14v10H5zM12 14v2",
    print: "M7 8V3h10v5M7 17H4V8h16v9h-3M7 14h10v7H7z",
    copy: "M9 9h11v11H9zM5 15H4V4h11v1",
    eye: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
    down: "M12 4v11M7 11l5 5 5-5M5 20h14",
    out: "M9 5H5v14h14v-4M13 4h7v7M20 4l-9 9",
    mail: "M3 6h18v13H3zM3 7l9 7 9-7",
    qr: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2h-2zM18 18h2v2h-2zM18 14h2M14 18v2",
    alert: "M12 4L2 20h20zM12 10v5M12 17.5v.5",
} as const;

export type IconName = keyof typeof icons;

const drawn = new Map<IconName, SVGSVGElement>();

/* Copied from the first one: a long page has thousands. */
export function icon(name: IconName): SVGSVGElement {
    const first = drawn.get(name) ?? svg("0 0 24 24", icons[name], { class: "icon", "aria-hidden": "true", focusable: "false" });
    drawn.set(name, first);
    return first.cloneNode(true) as SVGSVGElement;
}

export function button(text: string, attributes: Record<string, Attribute>, image?: IconName): HTMLButtonElement {
    return h("button", { type: "button", ...attributes }, image ? icon(image) : null, h("span", {}, text));
}

/* Text that only a screen reader says. */
export function spoken(text: string): HTMLSpanElement {
    return h("span", { class: "spoken" }, text);
}
