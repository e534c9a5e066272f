/* A secret as a QR code, for a telephone's camera, and for a minute. */
import type { Context } from "./context";
import { button, h, svg } from "./dom";
import { qrCode } from "./profile";

export const QR_SECRET_MS = 60000;

/* The button that draws it, and where it is drawn; null if the text is too long. */
export function qrFigure(context: Context, text: string, label: string): { button: HTMLButtonElement; figure: HTMLElement } | null {
    const { m } = context;
    if (text === "" || new TextEncoder().encode(text).length > 1000) return null;
    const figure = h("figure", { class: "qr secret-code", hidden: true });
    const toggle = button(m.qr, { class: "quiet", "aria-label": `${m.qr}${m.colon}${label}`, "aria-expanded": "false" }, "qr");
    let timer = 0;
    const set = (shown: boolean): void => {
        const code = shown ? qrCode(text) : null;
        window.clearTimeout(timer);
        figure.hidden = !code;
        toggle.setAttribute("aria-expanded", String(code !== null));
        figure.replaceChildren(...(code ? [svg(`0 0 ${code.size} ${code.size}`, code.path, { role: "img", "aria-label": `${m.qr}${m.colon}${label}`, "shape-rendering": "crispEdges" }), h("figcaption", {}, m.qrOfSecret)] : []));
        if (code) timer = window.setTimeout(() => set(false), QR_SECRET_MS);
    };
    toggle.addEventListener("click", () => set(figure.hidden));
    return { button: toggle, figure };
}
