/* The files that a trousseau holds, each with what it is for. */
import { type Context, download } from "./context";
import type { Attachment } from "./document";
import { button, h } from "./dom";
import { utf8Size } from "./text";

export type FileKind = "bitwarden" | "zone" | "calendar" | "json" | "text" | "other";

export function kindOf({ name, media }: Attachment): FileKind {
    if (/^bitwarden(?:-\d+)?\.json$/.test(name)) return "bitwarden";
    if (media === "text/dns" || name.endsWith(".zone")) return "zone";
    if (media === "text/calendar") return "calendar";
    if (media === "application/json") return "json";
    return /^text\/(?:plain|markdown)$/.test(media) ? "text" : "other";
}

/* The types under which a file is saved: none that a browser would rather show or run. */
const TYPES: Record<FileKind, string> = { bitwarden: "application/json", zone: "text/plain", calendar: "text/calendar", json: "application/json", text: "text/plain", other: "application/octet-stream" };

function sizeOf(context: Context, bytes: number): string {
    const kilo = new Intl.NumberFormat(context.m.locale, { maximumFractionDigits: bytes < 10240 ? 1 : 0 });
    return bytes < 1024 ? context.m.bytes(bytes) : context.m.kilobytes(kilo.format(bytes / 1024));
}

function fileView(context: Context, file: Attachment): HTMLElement {
    const { m } = context;
    const kind = kindOf(file);
    const get = button(m.getFile, { class: "plain", "aria-label": `${m.getFile}${m.colon}${file.name}` }, "down");
    get.addEventListener("click", () => download(file.name, TYPES[kind], file.content));
    return h(
        "li",
        { class: "file" },
        h("h3", {}, file.name),
        h("p", {}, m.fileKinds[kind](file.name)),
        kind === "bitwarden" ? h("p", { class: "caution screen-only" }, m.fileSecret) : null,
        h("div", { class: "buttons" }, get, h("span", { class: "soft" }, sizeOf(context, utf8Size(file.content)))),
    );
}

export function filesView(context: Context): HTMLElement {
    const { m, issue } = context;
    return h(
        "section",
        { class: "files", "aria-labelledby": "files" },
        h("h2", { id: "files", tabindex: "-1" }, m.filesTitle),
        h("ul", { class: "file-list" }, ...issue.files.map((file) => fileView(context, file))),
    );
}
