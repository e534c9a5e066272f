/* The page before it is open: the code, the wait, and what may go wrong. */
import { CODE_WORDS, isKnown, passphraseOf, suggestions, wordsOf } from "./code";
import { button, h, icon, spoken } from "./dom";
import type { Messages } from "./message";
import type { Opener } from "./payload";
import { KeyForm } from "./view_key";
import { outerCommand, plainCommand } from "./view_open";

export interface Problem {
    title: string;
    text: string;
    detail: string; /* for whoever made the file */
}

export function problemView(m: Messages, problem: Problem): HTMLElement {
    return h(
        "div",
        { class: "problem", role: "alert" },
        icon("alert"),
        h("div", {}, h("h2", { tabindex: "-1" }, problem.title), h("p", {}, problem.text), problem.detail ? h("p", { class: "soft" }, `${m.forSender}${m.colon}`, h("code", {}, problem.detail)) : null),
    );
}

/* The nine places with what stands in them. */
function slotsView(m: Messages, words: string[]): HTMLElement {
    const shown = Math.max(CODE_WORDS, Math.min(words.length, CODE_WORDS + 3));
    const slots = Array.from({ length: shown }, (_, i) => {
        const word = words[i];
        if (word === undefined) return h("li", { class: "empty" }, h("span", {}, spoken(m.slotEmpty(i + 1)), "\u00a0"));
        const known = isKnown(word);
        const kind = i >= CODE_WORDS ? "unknown" : known ? "known" : "unknown";
        return h("li", { class: kind }, h("span", {}, word), spoken(known ? m.slotKnown : m.slotUnknown));
    });
    return h("ol", { class: "slots" }, ...slots);
}

class CodeForm {
    readonly element: HTMLElement;
    private readonly field: HTMLTextAreaElement;
    private readonly slots = h("div", { class: "slots-frame" });
    private readonly help = h("div", { class: "help", id: "code-help", "aria-live": "polite" });
    private tried = "";

    constructor(
        private readonly m: Messages,
        typed: string,
        private readonly changed: (typed: string) => void,
        private readonly submit: (code: string) => void,
    ) {
        this.field = h("textarea", { id: "code", rows: "3", autocomplete: "off", autocapitalize: "none", autocorrect: "off", spellcheck: "false", "aria-describedby": "code-hint code-help" });
        this.field.value = typed;
        this.element = h(
            "form",
            { class: "code-form", novalidate: true },
            h("label", { for: "code" }, m.codeLabel),
            h("p", { class: "soft", id: "code-hint" }, m.codeHint),
            this.field,
            this.slots,
            this.help,
            h("button", { type: "submit", class: "main" }, icon("lock"), h("span", {}, m.open)),
        );
        this.element.addEventListener("submit", (event) => {
            event.preventDefault();
            this.trySubmit();
        });
        this.field.addEventListener("input", () => this.look());
        this.field.addEventListener("keydown", (event) => {
            if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            this.trySubmit();
        });
        this.look();
    }

    focus(): void {
        this.field.focus();
        this.field.setSelectionRange(this.field.value.length, this.field.value.length);
    }

    private look(): void {
        const words = wordsOf(this.field.value);
        const typing = /[a-z\u00c0-\u024f]$/i.test(this.field.value) ? words.length - 1 : -1;
        const wrong = words.findIndex((word, i) => !isKnown(word) && i !== typing);
        this.changed(this.field.value);
        this.slots.replaceChildren(slotsView(this.m, words));
        this.help.replaceChildren(...(wrong >= 0 ? this.correction(words, wrong) : []));
    }

    private correction(words: string[], wrong: number): HTMLElement[] {
        const word = words[wrong] as string;
        const others = suggestions(word, words);
        if (others.length === 0) return [h("p", {}, this.m.noSuggestion(word))];
        const choices = others.map((other) => {
            const choice = button(other, { class: "choice", "aria-label": this.m.replaceBy(other) });
            choice.addEventListener("click", () => {
                this.field.value = words.map((old, i) => (i === wrong ? other : old)).join(" ") + " ";
                this.look();
                this.focus();
            });
            return choice;
        });
        return [h("p", {}, this.m.didYouMean(word)), h("div", { class: "choices" }, ...choices)];
    }

    /* A code that cannot be right is tried only when it is sent twice. */
    private trySubmit(): void {
        const { m } = this;
        const words = wordsOf(this.field.value);
        const code = passphraseOf(words);
        const wrong = words.findIndex((word) => !isKnown(word));
        const sure = words.length === CODE_WORDS && wrong < 0;
        if (sure || (code !== "" && this.tried === code)) return this.submit(code);
        this.tried = code;
        this.look();
        const count = words.length < CODE_WORDS ? m.tooFew(words.length) : words.length > CODE_WORDS ? m.tooMany(words.length) : "";
        const correction = wrong >= 0 ? this.correction(words, wrong) : [];
        this.help.replaceChildren(...(count ? [h("p", {}, count)] : []), ...correction, ...(code ? [h("p", { class: "soft" }, m.stillTry)] : []));
        this.focus();
    }
}

export interface LockedEvents {
    by: Opener;
    typed: string;
    changed(typed: string): void;
    submit(code: string): void;
}

function commandView(text: string): HTMLElement {
    return h("pre", { tabindex: "0" }, h("code", {}, text));
}

export function lockedView(m: Messages, problem: Problem | null, events: LockedEvents): { element: HTMLElement; focus(): void } {
    const Form = events.by === "key" ? KeyForm : CodeForm;
    const form = new Form(m, events.typed, (typed) => events.changed(typed), (code) => events.submit(code));
    const element = h(
        "div",
        { class: "locked" },
        h("header", { class: "title" }, h("h1", { tabindex: "-1" }, m.lockedTitle), h("p", { class: "lead" }, events.by === "key" ? m.keyLead : m.lockedLead)),
        problem ? problemView(m, problem) : null,
        form.element,
        h("p", { class: "soft offline" }, m.offline),
        h("details", { class: "fold before" }, h("summary", {}, h("span", { class: "fold-name" }, events.by === "key" ? m.keyBeforeTitle : m.beforeTitle)), h("div", { class: "fold-body" }, h("p", {}, events.by === "key" ? m.keyBeforeText : m.beforeText), commandView(outerCommand(m.fileHere)), h("p", {}, m.beforePlain), commandView(plainCommand(m.fileHere, events.by === "key" ? m.keyFile : null)))),
    );
    return { element, focus: () => form.focus() };
}

export function openingView(m: Messages, cancel: () => void): { element: HTMLElement; progress(done: number): void } {
    const bar = h("progress", { max: "100", "aria-label": m.openingProgress });
    const percent = h("p", { class: "percent" }, m.percent(0));
    const stop = button(m.cancel, { class: "plain" });
    bar.value = 0;
    stop.addEventListener("click", cancel);
    return {
        element: h("div", { class: "opening" }, h("h1", { tabindex: "-1" }, m.openingTitle), h("p", { class: "lead" }, m.openingText), bar, percent, stop),
        progress: (done) => {
            bar.value = Math.floor(done * 100);
            percent.textContent = m.percent(Math.floor(done * 100));
        },
    };
}

/* For what no code can mend. */
export function brokenView(m: Messages, problem: Problem): HTMLElement {
    return h("div", { class: "locked" }, h("div", { class: "problem alone", role: "alert" }, icon("alert"), h("div", {}, h("h1", { tabindex: "-1" }, problem.title), h("p", {}, problem.text), problem.detail ? h("p", { class: "soft" }, `${m.forSender}${m.colon}`, h("code", {}, problem.detail)) : null)));
}
