/* One mailbox with what hangs on it. */
import type { Context } from "./context";
import type { Mailbox, OtherSecret } from "./document";
import { type Child, anchor, h, icon } from "./dom";
import { linkTo } from "./link";
import { settingsOf } from "./profile";
import { secretView } from "./view_secret";
import { selfView } from "./view_self";
import { serversView, setupView } from "./view_setup";
import { spell } from "./text";

/* Values of a document as text: blanks at an edge and the like can be seen. */
function shownValue(value: string): string {
    return value.includes("\n") ? value : spell(value).map((char) => (char.kind === "hidden" ? char.shown : char.char)).join("");
}

function row(name: string, ...content: Child[]): HTMLElement[] {
    return [h("dt", {}, name), h("dd", {}, ...content)];
}

function copied(context: Context, name: string, value: string): HTMLElement[] {
    return row(name, h("span", { class: "value" }, h("code", { class: "text" }, shownValue(value)), context.copyButton(`${name} ${value}`, () => value, false)));
}

function address(context: Context, name: string, url: string, text: string): HTMLElement[] {
    const link = linkTo(url);
    if (!link) return copied(context, name, url);
    return row(name, h("span", { class: "value" }, anchor(link, { class: "out" }, h("span", {}, text), icon("out")), text === url ? null : h("span", { class: "paper" }, url)));
}

function history(context: Context, { version, changed, proved }: Mailbox): string {
    const { m } = context;
    const parts = context.own ? [] : [m.version(version)];
    if (changed) parts.unshift(m.changedOn(context.day(changed)));
    if (proved) parts.push(m.provedOn(context.moment(proved)));
    return parts.join(" · ");
}

function otherView(context: Context, mailbox: Mailbox, other: OtherSecret): HTMLElement {
    const { m } = context;
    const meta = [...(context.own ? [] : [m.version(other.version)]), ...(other.expires ? [m.expires(context.date(other.expires))] : [])].join(" · ");
    return h(
        "section",
        { class: "other", "data-label": other.label.toLowerCase() },
        h("h5", { tabindex: "-1" }, h("span", { class: "kind" }, m.types[other.type] ?? other.type), " ", h("span", { class: "label" }, other.label)),
        h(
            "dl",
            {},
            ...(other.user ? copied(context, m.user, other.user) : []),
            ...(other.url ? address(context, m.url, other.url, other.url) : []),
            ...row(m.value, secretView(context, `${mailbox.address}\n${other.label}`, other.value, m.value, `${mailbox.address} ${other.label}`)),
            ...(other.note ? row(m.note, h("span", { class: "text note-text" }, other.note)) : []),
        ),
        meta ? h("p", { class: "soft meta" }, meta) : null,
    );
}

export function mailboxId(index: number): string {
    return `mailbox-${index}`;
}

function mailboxParts(context: Context, mailbox: Mailbox): Child[] {
    const { m } = context;
    const settings = settingsOf(mailbox);
    const past = history(context, mailbox);
    return [
        h(
            "dl",
            {},
            ...copied(context, m.address, mailbox.address),
            ...(mailbox.user === mailbox.address ? [] : copied(context, m.user, mailbox.user)),
            ...row(m.password, secretView(context, mailbox.address, mailbox.password, m.password, mailbox.address)),
            ...(mailbox.webmail ? address(context, m.webmail, mailbox.webmail, m.openWebmail) : []),
        ),
        context.own ? selfView(context, mailbox) : null,
        settings ? serversView(context, settings) : h("p", { class: "soft" }, m.noServers),
        settings ? setupView(context, settings) : null,
        past ? h("p", { class: "soft history" }, past) : null,
        mailbox.others.length ? h("div", { class: "others" }, h("h4", { class: "others-title" }, m.othersTitle), ...mailbox.others.map((other) => otherView(context, mailbox, other))) : null,
    ];
}

/* late: what is in it is built when somebody comes near. */
export function mailboxView(context: Context, mailbox: Mailbox, index: number, late: boolean): HTMLElement {
    const title = `${mailboxId(index)}-title`;
    const [local, domain] = mailbox.address.split("@") as [string, string];
    const heading = h("h3", { id: title, tabindex: "-1" }, h("span", { class: "local" }, local), h("span", { class: "domain" }, "@", domain));
    const article = h("article", { class: "mailbox", id: mailboxId(index), "aria-labelledby": title }, heading);
    context.later(article, () => mailboxParts(context, mailbox));
    if (!late) context.fill(article);
    return article;
}
