/* The opened trousseau: everything that its reader owns from now on. */
import type { Context } from "./context";
import { button, h } from "./dom";
import { accountView } from "./view_account";
import { MANY, contentsView } from "./view_contents";
import { filesView } from "./view_file";
import { mailboxView } from "./view_mailbox";
import { checkView, meansView, receiptView } from "./view_open";

function titleView(context: Context): HTMLElement {
    const { m, issue } = context;
    return h(
        "header",
        { class: "title" },
        h("h1", { tabindex: "-1" }, m.ownTitle),
        h("p", { class: "owner" }, context.client),
        h("p", { class: "lead" }, m.handedTo(context.recipient, context.sender)),
        h("ul", { class: "facts" }, h("li", {}, m.issuedOn(context.day(issue.issued))), issue.reason ? h("li", {}, `${m.reason}${m.colon}`, h("span", { class: "text" }, issue.reason)) : null),
    );
}

function startView(context: Context): HTMLElement {
    const { m } = context;
    const step = ([title, text]: [string, string]): HTMLElement => h("li", {}, h("strong", {}, title), " ", text);
    return h("section", { class: "start", "aria-labelledby": "start" }, h("h2", { id: "start" }, m.startTitle), h("ol", { class: "start-steps" }, ...(context.fromEnvelope ? m.envelopeSteps : m.startSteps).map(step)));
}

/* Asks before secrets go onto paper; the choice holds for one print. */
function confirmView(context: Context, confirmed: () => void): HTMLDialogElement {
    const { m } = context;
    const yes = button(m.printKeysYes, { class: "main" }, "print");
    const no = button(m.cancel, { class: "plain", autofocus: true });
    const dialog = h("dialog", { class: "idle", "aria-labelledby": "print-title" }, h("h2", { id: "print-title" }, m.printKeysTitle), h("p", { class: "idle-text" }, m.printKeysText), h("div", { class: "buttons" }, yes, no));
    no.addEventListener("click", () => dialog.close());
    yes.addEventListener("click", () => {
        dialog.close();
        confirmed();
    });
    return dialog;
}

/* Puts the secrets on paper, prints, and takes them off again: when the browser says that
 * it is done, or, where it does not say so, when the reader touches the page again. */
function printKeys(context: Context): void {
    const done = new AbortController();
    const cover = (): void => {
        done.abort();
        context.printSecrets(false);
    };
    context.gone.signal.addEventListener("abort", cover, { signal: done.signal });
    context.printSecrets(true);
    for (const sign of ["afterprint", "pointerdown", "keydown", "pagehide"]) window.addEventListener(sign, cover, { signal: done.signal });
    window.print();
}

function toolsView(context: Context): HTMLElement {
    const { m } = context;
    const reveal = button(m.ownRevealAll, { class: "plain" }, "eye");
    const print = button(m.printPlain, { class: "plain" }, "print");
    const keys = button(m.printKeys, { class: "plain" }, "print");
    const confirm = confirmView(context, () => printKeys(context));
    reveal.addEventListener("click", () => {
        context.fillAll();
        const shown = context.revealed.size < context.secrets.length;
        for (const secret of context.secrets) secret.set(shown);
        context.say(shown ? m.ownRevealAll : m.ownHideAll);
    });
    print.addEventListener("click", () => window.print());
    keys.addEventListener("click", () => confirm.showModal());
    context.onReveal = () => {
        (reveal.lastElementChild as HTMLElement).textContent = context.revealed.size < context.secrets.length ? m.ownRevealAll : m.ownHideAll;
    };
    context.onReveal();
    return h("div", { class: "tools" }, h("div", { class: "buttons" }, reveal, keys, print), h("p", { class: "soft" }, m.printOwn), confirm);
}

/* What stands at the head of every sheet. */
function sheetHead(context: Context): HTMLElement {
    const { m } = context;
    const today = context.day(new Date().toISOString());
    return h("div", { class: "sheet-head paper", "aria-hidden": "true" }, h("div", { class: "sheet-line" }, h("span", {}, `${m.ownTitle}${m.colon}${context.client}`), h("span", {}, m.printedOn(today))));
}

export function ownView(context: Context): HTMLElement {
    const { m, issue } = context;
    const many = issue.mailboxes.length > MANY;
    const articles = issue.mailboxes.map((mailbox, i) => mailboxView(context, mailbox, i, many));
    const account = issue.account ? accountView(context, issue.account) : null;
    const files = issue.files.length ? filesView(context) : null;
    const more: [string, HTMLElement][] = [];
    if (account) more.push([m.accountTitle, account]);
    if (files) more.push([m.filesTitle, files]);
    const stamp = h("p", { class: "paper stamp" }, m.paperWithout);
    context.fillInTime();
    context.onPaper = (shown) => (stamp.textContent = shown ? m.paperWith : m.paperWithout);
    return h(
        "div",
        { class: `opened own${many ? " many" : ""}` },
        sheetHead(context),
        h(
            "div",
            { class: "sheet" },
            titleView(context),
            stamp,
            receiptView(context),
            startView(context),
            h("section", { class: "roles", "aria-labelledby": "mailboxes" }, h("h2", { id: "mailboxes" }, m.rolesTitle(issue.mailboxes.length)), toolsView(context), contentsView(context, articles, more), ...articles),
            account,
            files,
            meansView(context),
            checkView(context),
        ),
    );
}
