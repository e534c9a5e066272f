/* The page: which view is on the screen, in which language, and for how long. */
import { clearNow } from "./clipboard";
import { Context } from "./context";
import type { Issue } from "./document";
import { button, h } from "./dom";
import { type IdleEvents, watchIdle } from "./idle";
import { type Language, type Messages, messages } from "./message";
import { open } from "./opener";
import { type Opener, type Payload, readPayload } from "./payload";
import { type Problem, brokenView, lockedView, openingView } from "./view_locked";
import { openView } from "./view_open";
import { ownView } from "./view_own";
import type { Failure } from "./worker";

/* A problem is kept as a question to the texts, so that it can change its language. */
type Told = (m: Messages) => Problem;

type Phase =
    | { kind: "broken"; told: Told }
    | { kind: "locked"; told: Told | null }
    | { kind: "opening"; stop: () => void; progress: (done: number) => void }
    | { kind: "open"; issue: Issue; revealed: Set<string>; opened: Set<string>; unwatch: () => void };

class App {
    private language: Language;
    private phase: Phase = { kind: "locked", told: null };
    private typed = "";
    private file: Uint8Array = new Uint8Array(0);
    private by: Opener = "code";
    private context: Context | null = null; /* of the view on the screen */
    private readonly bar = h("header", { class: "bar" });
    private readonly main = h("main", { id: "main", tabindex: "-1" });
    private readonly foot = h("footer", {});
    private readonly status = h("div", { class: "spoken", role: "status", "aria-live": "polite" });
    private readonly idle = h("dialog", { class: "idle", "aria-labelledby": "idle-title" });

    constructor(payload: Payload) {
        this.language = navigator.language.toLowerCase().startsWith("fr") ? "fr" : "en";
        if ("file" in payload) ({ file: this.file, by: this.by } = payload);
        else this.phase = { kind: "broken", told: missing(payload.missing) };
        document.body.replaceChildren(this.bar, this.main, this.foot, this.status, this.idle);
        this.draw();
    }

    private get m(): Messages {
        return messages[this.language];
    }

    private say(text: string): void {
        this.status.textContent = "";
        window.setTimeout(() => (this.status.textContent = text), 30);
    }

    /* ---- drawing ----------------------------------------------------------------- */

    private setLanguage(language: Language): void {
        const { phase } = this;
        if (phase.kind === "opening") return;
        this.language = language;
        this.draw();
        this.bar.querySelector<HTMLElement>(`[lang="${language}"]`)?.focus();
    }

    private languages(): HTMLElement {
        const choice = (language: Language): HTMLButtonElement => {
            const made = h("button", { type: "button", lang: language, "aria-pressed": String(language === this.language), "aria-label": `${language.toUpperCase()}, ${messages[language].languageName}` }, language.toUpperCase());
            made.addEventListener("click", () => this.setLanguage(language));
            return made;
        };
        return h("div", { class: "languages", role: "group", "aria-label": this.m.chooseLanguage }, choice("fr"), choice("en"));
    }

    private drawBar(): void {
        const { m, phase } = this;
        const lock = phase.kind === "open" ? button(m.lock, { class: "plain lock" }, "lock") : null;
        const skip = button(m.skip, { class: "skip" });
        lock?.addEventListener("click", () => this.lock());
        skip.addEventListener("click", () => this.main.focus());
        this.bar.replaceChildren(skip, h("p", { class: "brand" }, h("span", { class: "word" }, "passation"), h("span", { class: "tagline" }, m.tagline)), h("div", { class: "bar-tools" }, this.languages(), ...(lock ? [lock] : [])));
    }

    private draw(): void {
        const { m } = this;
        document.documentElement.lang = this.language;
        document.title = `${this.title()} · passation`;
        this.context?.gone.abort();
        this.context = null;
        this.drawBar();
        this.foot.replaceChildren(h("p", { class: "soft" }, m.footer));
        this.main.replaceChildren(this.view());
    }

    private title(): string {
        const { m, phase } = this;
        if (phase.kind === "broken") return phase.told(m).title;
        if (phase.kind === "opening") return m.openingTitle;
        if (phase.kind !== "open") return m.lockedTitle;
        const client = phase.issue.clientName || phase.issue.client;
        return phase.issue.version === 2 ? `${m.ownTitle}${m.colon}${client}` : client;
    }

    private view(): HTMLElement {
        const { m, phase } = this;
        if (phase.kind === "broken") return brokenView(m, phase.told(m));
        if (phase.kind === "open") {
            const context = (this.context = new Context(this.language, phase.issue, phase.revealed, phase.opened, (text) => this.say(text)));
            return context.own ? ownView(context) : openView(context);
        }
        if (phase.kind === "opening") {
            const opening = openingView(m, () => this.cancel());
            phase.progress = opening.progress;
            return opening.element;
        }
        const events = { by: this.by, typed: this.typed, changed: (typed: string) => (this.typed = typed), submit: (code: string) => this.start(code) };
        return lockedView(m, phase.told ? phase.told(m) : null, events).element;
    }

    private go(phase: Phase, focus: string): void {
        this.phase = phase;
        this.draw();
        window.scrollTo(0, 0);
        this.main.querySelector<HTMLElement>(focus)?.focus();
    }

    /* ---- opening ----------------------------------------------------------------- */

    private start(code: string): void {
        const phase: Phase = { kind: "opening", stop: () => undefined, progress: () => undefined };
        this.go(phase, "h1");
        phase.stop = open(
            { file: this.file, by: this.by, code },
            {
                report: (report) => {
                    if (report.kind === "progress") phase.progress(report.done);
                    else if (report.kind === "open") this.opened(report.issue);
                    else this.failed(report.failure, report.detail);
                },
                broken: () => this.go({ kind: "broken", told: (m) => ({ title: m.workerTitle, text: m.workerText, detail: "" }) }, "h1"),
            },
        );
    }

    private cancel(): void {
        if (this.phase.kind === "opening") this.phase.stop();
        this.go({ kind: "locked", told: null }, "textarea");
    }

    private failed(failure: Failure, detail: string): void {
        if (failure !== "code" && failure !== "key") this.typed = "";
        const told = failure === "code" && this.by === "key" ? otherKey : failures[failure];
        this.go({ kind: "locked", told: (m) => told(m, detail) }, ".problem h2");
    }

    private opened(issue: Issue): void {
        this.typed = "";
        const events: IdleEvents = { warn: (seconds) => this.warn(seconds), calm: () => this.calm(), lock: () => this.lock() };
        this.go({ kind: "open", issue, revealed: new Set(), opened: new Set(), unwatch: watchIdle(events) }, "h1");
        this.say(this.m.opened(issue.mailboxes.length));
    }

    /* ---- locking ----------------------------------------------------------------- */

    private warn(seconds: number): void {
        const { m } = this;
        const text = this.idle.querySelector(".idle-text");
        if (this.idle.open && text) {
            text.textContent = m.idleText(seconds);
            return;
        }
        const stay = button(m.idleStay, { class: "main" }); /* that it was pressed is what counts */
        this.idle.replaceChildren(h("h2", { id: "idle-title" }, m.idleTitle), h("p", { class: "idle-text" }, m.idleText(seconds)), stay);
        this.idle.showModal();
    }

    private calm(): void {
        this.idle.close();
        this.idle.replaceChildren();
    }

    /* Takes everything off the screen and out of reach; the code opens it again. */
    private lock(): void {
        if (this.phase.kind !== "open") return;
        this.phase.unwatch();
        clearNow();
        this.calm();
        this.typed = "";
        this.go({ kind: "locked", told: null }, "h1");
        this.say(this.m.locked);
    }
}

function missing(what: "cut" | "changed" | "large"): Told {
    return (m) => {
        if (what === "cut") return { title: m.cutTitle, text: m.cutText, detail: "" };
        return { title: m.damagedTitle, text: what === "large" ? m.largeText : m.changedText, detail: "" };
    };
}

const otherKey = (m: Messages): Problem => ({ title: m.keyOtherTitle, text: m.keyOtherText, detail: "" });

const failures: Record<Failure, (m: Messages, detail: string) => Problem> = {
    code: (m) => ({ title: m.wrongTitle, text: m.wrongText, detail: "" }),
    key: (m) => ({ title: m.keyWrongTitle, text: m.keyWrongText, detail: "" }),
    damaged: (m, detail) => ({ title: m.damagedTitle, text: m.tamperedText, detail }),
    malformed: (m, detail) => ({ title: m.malformedTitle, text: m.malformedText, detail }),
    memory: (m) => ({ title: m.memoryTitle, text: m.memoryText, detail: "" }),
};

/* The script stands before the payload, so that a file cut short can still say so. */
document.addEventListener("DOMContentLoaded", () => {
    const holder = document.getElementById("payload");
    const payload = readPayload(holder?.textContent ?? "");
    new App(payload);
});
