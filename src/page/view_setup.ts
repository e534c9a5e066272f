/* How to bring a mailbox into a mail program. */
import { type Context, download } from "./context";
import type { Server } from "./document";
import { type Child, button, h, svg } from "./dom";
import { type Settings, appleProfile, domainOf, qrCode, thunderbirdConfig, thunderbirdMobile } from "./profile";
import { QR_SECRET_MS } from "./view_qr";

function serverRow(context: Context, name: string, server: Server): HTMLTableRowElement {
    const cell = (what: string, value: string): HTMLTableCellElement =>
        h("td", { "data-name": what }, h("span", { class: "cell" }, h("code", {}, value), context.copyButton(`${name}, ${what}`, () => value, false)));
    const { m } = context;
    return h("tr", {}, h("th", { scope: "row" }, name), cell(m.server, server.host), cell(m.port, String(server.port)), h("td", { "data-name": m.security }, h("span", { class: "cell" }, h("code", {}, server.security))));
}

export function serversView(context: Context, { imap, smtp }: Settings): HTMLElement {
    const { m } = context;
    const head = (text: string): HTMLTableCellElement => h("th", { scope: "col" }, text);
    return h("table", { class: "servers" }, h("caption", {}, m.settings), h("thead", {}, h("tr", {}, h("td", {}), head(m.server), head(m.port), head(m.security))), h("tbody", {}, serverRow(context, m.incoming, imap), serverRow(context, m.outgoing, smtp)));
}

function fileName(address: string, suffix: string): string {
    return address.replace(/[^a-z0-9.@_-]/g, "_") + suffix;
}

function apple(context: Context, settings: Settings): Child[] {
    const { m } = context;
    const { address } = settings.mailbox;
    const get = button(m.appleGet, { class: "plain", "aria-label": `${m.appleGet}${m.colon}${address}` }, "down");
    get.addEventListener("click", () => download(fileName(address, ".mobileconfig"), "application/x-apple-aspen-config", appleProfile(settings, context.sender)));
    return [get, context.steps(m.appleSteps())];
}

function outlook(context: Context, settings: Settings): Child[] {
    const { m } = context;
    const { address } = settings.mailbox;
    return [
        h("h5", {}, m.outlookNew),
        h("p", { class: "caution" }, m.outlookNewNote),
        context.steps(m.outlookNewSteps(address)),
        h("h5", {}, m.outlookClassic),
        context.steps(m.outlookClassicSteps(address)),
    ];
}

/* The QR code, without the password unless the reader asks, and then for a minute. */
function mobileCode(context: Context, settings: Settings): HTMLElement {
    const { m } = context;
    const { address, password } = settings.mailbox;
    const figure = h("figure", { class: "qr" });
    let timer = 0;
    const draw = (secret: string | null): void => {
        window.clearTimeout(timer);
        const code = qrCode(thunderbirdMobile(settings, secret));
        const name = secret === null ? m.qrAlt(address) : m.qrAltPassword(address);
        const image = code ? svg(`0 0 ${code.size} ${code.size}`, code.path, { role: "img", "aria-label": name, "shape-rendering": "crispEdges" }) : h("p", {}, m.qrNone);
        const change = button(secret === null ? m.qrAdd : m.qrRemove, { class: "quiet", "aria-label": `${secret === null ? m.qrAdd : m.qrRemove}${m.colon}${address}` });
        change.addEventListener("click", () => {
            draw(secret === null ? password.text : null);
            figure.querySelector("button")?.focus();
        });
        figure.classList.toggle("secret-code", secret !== null);
        figure.replaceChildren(image, h("figcaption", {}, secret === null ? m.qrAsIs : m.qrSecret, password.text === null ? null : change));
        if (secret !== null) timer = window.setTimeout(() => draw(null), QR_SECRET_MS);
    };
    draw(null);
    return figure;
}

function thunderbird(context: Context, settings: Settings): Child[] {
    const { m } = context;
    const { address } = settings.mailbox;
    const domain = domainOf(address);
    const published = `https://autoconfig.${domain}/mail/config-v1.1.xml`;
    const get = button(m.autoconfigGet, { class: "plain", "aria-label": `${m.autoconfigGet}${m.colon}${domain}` }, "down");
    get.addEventListener("click", () => download("config-v1.1.xml", "application/xml", thunderbirdConfig(settings)));
    return [
        h("h5", {}, m.thunderbirdPhone),
        h("div", { class: "beside" }, mobileCode(context, settings), context.steps(m.thunderbirdPhoneSteps())),
        h("h5", {}, m.thunderbirdDesk),
        context.steps(m.thunderbirdDeskSteps(address)),
        h("p", { class: "soft" }, m.autoconfigText),
        h("p", { class: "inline-copy" }, h("code", {}, published), context.copyButton(published, () => published, false)),
        get,
    ];
}

export function setupView(context: Context, settings: Settings): HTMLElement {
    const { m } = context;
    const { address } = settings.mailbox;
    const fold = (key: string, name: string, where: string, build: () => Child[]): HTMLDetailsElement =>
        context.fold(`${address}\n${key}`, [h("span", { class: "fold-name" }, name), h("span", { class: "fold-where" }, where)], build);
    return h(
        "div",
        { class: "setup" },
        h("h4", {}, m.setUp),
        fold("apple", m.apple, m.appleFor, () => apple(context, settings)),
        fold("outlook", m.outlook, m.outlookFor, () => outlook(context, settings)),
        fold("thunderbird", m.thunderbird, m.thunderbirdFor, () => thunderbird(context, settings)),
        fold("gmail", m.gmail, m.gmailFor, () => [context.steps(m.gmailSteps(address))]),
    );
}
