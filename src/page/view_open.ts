/* The opened issue. */
import type { Context } from "./context";
import { anchor, button, h, icon } from "./dom";
import { letterTo } from "./link";
import { contentsView } from "./view_contents";
import { mailboxView } from "./view_mailbox";

const CONTENTS_FROM = 4; /* mailboxes that make a table of contents worth its place */

function titleView(context: Context): HTMLElement {
    const { m, issue } = context;
    const ended = issue.until !== "none" && new Date(issue.until).getTime() < Date.now();
    const until = issue.until === "none" ? m.noEnd : ended ? m.ended(context.moment(issue.until)) : m.validUntil(context.moment(issue.until));
    return h(
        "header",
        { class: "title" },
        h("h1", { tabindex: "-1" }, context.client),
        h("p", { class: "lead" }, m.handedTo(context.recipient, context.sender)),
        h(
            "ul",
            { class: "facts" },
            h("li", { class: ended ? "ended" : "until" }, until),
            h("li", {}, m.issuedOn(context.day(issue.issued))),
            issue.reason ? h("li", {}, `${m.reason}${m.colon}`, h("span", { class: "text" }, issue.reason)) : null,
        ),
    );
}

export function receiptView(context: Context): HTMLElement {
    const { m, issue } = context;
    const mail = issue.replyTo ? letterTo(issue.replyTo, m.receiptSubject(context.client), m.receiptBody(issue.serial, issue.receipt)) : null;
    return h(
        "section",
        { class: "receipt", "aria-labelledby": "receipt" },
        h("h2", { id: "receipt" }, m.receiptTitle),
        h("p", {}, m.receiptText(context.sender)),
        h("p", { class: "receipt-code" }, h("code", { "aria-label": `${m.receiptCode}${m.colon}${issue.receipt.split("").join(" ")}`, role: "img" }, issue.receipt)),
        h("div", { class: "buttons" }, mail ? anchor(mail, { class: "main" }, icon("mail"), h("span", {}, m.receiptMail(context.sender))) : null, context.copyButton(m.receiptCode, () => issue.receipt, false)),
    );
}

function toolsView(context: Context, all: number): HTMLElement {
    const { m } = context;
    const reveal = button(m.revealAll, { class: "plain" }, "eye");
    const print = button(m.print, { class: "plain" }, "print");
    const told = h("p", { class: "soft", id: "print-state" });
    const stamp = h("p", { class: "paper" });
    reveal.addEventListener("click", () => {
        const shown = context.revealed.size < all;
        for (const secret of context.secrets) secret.set(shown);
        context.say(shown ? m.revealAll : m.hideAll);
    });
    print.addEventListener("click", () => window.print());
    print.setAttribute("aria-describedby", "print-state");
    context.onReveal = () => {
        const n = context.revealed.size;
        const today = context.day(new Date().toISOString());
        (reveal.lastElementChild as HTMLElement).textContent = n < all ? m.revealAll : m.hideAll;
        told.textContent = `${m.printNow(n, all)}. ${n < all ? m.printWithout : ""}`;
        stamp.textContent = n > 0 ? m.printedWith(today) : m.printedWithout(today);
    };
    context.onReveal();
    return h("div", { class: "tools" }, h("div", { class: "buttons" }, reveal, print), told, stamp);
}

export function meansView(context: Context): HTMLElement {
    const { m, issue } = context;
    const own = issue.means.split("\n")[context.language === "fr" ? 0 : 1] as string;
    return h(
        "section",
        { class: "means", "aria-labelledby": "means" },
        h("h2", { id: "means" }, context.own ? m.ownMeansTitle : m.meansTitle),
        h("p", {}, context.fromEnvelope ? m.envelopeMeansText : context.own ? m.ownMeansText : m.meansText),
        issue.until === "none" ? null : h("p", {}, m.untilText),
        h("blockquote", {}, h("p", { class: "soft" }, m.asWritten), h("p", { class: "text" }, own)),
    );
}

function fingerprintView(fingerprint: string): HTMLElement {
    const [kind, digits] = fingerprint.split(":") as [string, string];
    const groups = (digits.match(/.{1,4}/g) ?? []).map((group) => h("span", { class: "group" }, group));
    return h("code", { class: "fingerprint" }, h("span", { class: "group" }, `${kind}:`), ...groups);
}

export function outerCommand(file: string): string {
    return `ssh-keygen -Y check-novalidate -n passation-file -s ${file}.sig < ${file}`;
}

/* key is the name of the file with the recovery key, or null: age asks for the code. */
export function plainCommand(file: string, key: string | null): string {
    return `sed -n '/^-----BEGIN AGE/,/^-----END AGE/p' ${file} | age -d${key ? ` -i ${key}` : ""}`;
}

/* The content stays in a variable of a shell of its own: no file ever holds it. */
function innerCommand(file: string, key: string | null): string {
    return [
        `( issue=$(${plainCommand(file, key)})`,
        "printf '%s\\n' \"$issue\" | sed -n '/^-----BEGIN SSH SIG/,$p' > issue.sig",
        "printf '%s\\n' \"$issue\" | sed '/^-----BEGIN SSH SIG/,$d' |",
        "  ssh-keygen -Y check-novalidate -n passation-issue -s issue.sig",
        "rm issue.sig )",
    ].join("\n");
}

export function checkView(context: Context): HTMLElement {
    const { m, issue, fileName } = context;
    return h(
        "section",
        { class: "check", "aria-labelledby": "check" },
        h("h2", { id: "check" }, m.checkTitle),
        h("p", {}, m.checkText(context.sender)),
        h("p", { class: "value" }, fingerprintView(issue.issuer), context.copyButton(m.fingerprint, () => issue.issuer, false)),
        h("div", { class: "screen" }, h("p", {}, m.checkOuter), context.command(outerCommand(fileName)), h("p", {}, m.checkInner), context.command(innerCommand(fileName, issue.recipient === "code" ? null : m.keyFile)), h("p", { class: "soft" }, m.checkRename(fileName))),
        h("p", { class: "soft" }, `${m.serial} ${issue.serial}`),
    );
}

export function openView(context: Context): HTMLElement {
    const { m, issue } = context;
    const articles = issue.mailboxes.map((mailbox, i) => mailboxView(context, mailbox, i, false));
    const all = context.secrets.length;
    return h(
        "div",
        { class: "opened" },
        titleView(context),
        receiptView(context),
        h(
            "section",
            { "aria-labelledby": "mailboxes" },
            h("h2", { id: "mailboxes" }, m.contents),
            toolsView(context, all),
            issue.mailboxes.length >= CONTENTS_FROM ? contentsView(context, articles, []) : null,
            ...articles,
        ),
        meansView(context),
        checkView(context),
    );
}

