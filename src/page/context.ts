/* What every view needs: the texts, dates in the reader's language, the voice of the
 * page, and what is uncovered. */
import { CLEAR_AFTER_S, copy } from "./clipboard";
import type { Issue } from "./document";
import { type Child, button, h } from "./dom";
import { type Language, type Messages, type Step, messages } from "./message";

export class Context {
    readonly m: Messages;
    /* Called whenever a secret is uncovered or covered. */
    onReveal: () => void = () => undefined;
    /* Called when the secrets go onto paper, and when they leave it. */
    onPaper: (shown: boolean) => void = () => undefined;
    /* The secrets on the screen, each with a way to uncover it, and to print it. */
    readonly secrets: { key: string; set: (shown: boolean) => void; print: (shown: boolean) => void }[] = [];
    /* Stops all that listens for this view when it leaves the screen. */
    readonly gone = new AbortController();
    private readonly waiting = new Map<HTMLElement, () => void>();
    private readonly days: Intl.DateTimeFormat;
    private readonly moments: Intl.DateTimeFormat;

    constructor(
        readonly language: Language,
        readonly issue: Issue,
        readonly revealed: Set<string>,
        readonly opened: Set<string>,
        readonly say: (text: string) => void,
    ) {
        this.m = messages[language];
        this.days = new Intl.DateTimeFormat(this.m.locale, { dateStyle: "long" });
        this.moments = new Intl.DateTimeFormat(this.m.locale, { dateStyle: "long", timeStyle: "short" });
    }

    day(time: string): string {
        return this.days.format(new Date(time));
    }

    moment(time: string): string {
        return this.moments.format(new Date(time));
    }

    /* A day without an hour is the same day everywhere. */
    date(day: string): string {
        return new Intl.DateTimeFormat(this.m.locale, { dateStyle: "long", timeZone: "UTC" }).format(new Date(day));
    }

    /* The reader's own accesses: a trousseau, not what a grant lends. */
    get own(): boolean {
        return this.issue.version === 2;
    }

    /* Builds what is in element only when somebody comes near it, and tells it by "filled".
     * A long page would be slow to open otherwise. */
    later(element: HTMLElement, build: () => Child[]): void {
        element.classList.add("waiting");
        this.waiting.set(element, () => {
            element.append(...build().filter((child): child is Node | string => child !== null));
            element.classList.remove("waiting");
            element.dispatchEvent(new Event("filled"));
        });
    }

    fill(element: HTMLElement): void {
        const build = this.waiting.get(element);
        this.waiting.delete(element);
        build?.();
    }

    fillAll(): void {
        for (const element of [...this.waiting.keys()]) this.fill(element);
    }

    /* From now on: what comes near the screen, and everything before it is printed. */
    fillInTime(): void {
        if (this.waiting.size === 0) return;
        const near = new IntersectionObserver((seen) => seen.forEach(({ isIntersecting, target }) => {
            if (!isIntersecting) return;
            near.unobserve(target);
            this.fill(target as HTMLElement);
        }), { rootMargin: "600px 0px" });
        for (const element of this.waiting.keys()) near.observe(element);
        window.addEventListener("beforeprint", () => this.fillAll(), { signal: this.gone.signal });
        this.gone.signal.addEventListener("abort", () => near.disconnect());
    }

    printSecrets(shown: boolean): void {
        this.fillAll();
        for (const secret of this.secrets) secret.print(shown);
        this.onPaper(shown);
    }

    get sender(): string {
        return this.issue.issuedBy;
    }

    get recipient(): string {
        return this.issue.name || this.issue.person;
    }

    get client(): string {
        return this.issue.clientName || this.issue.client;
    }

    /* Opened with the key of the recovery envelope, while the provider may still work. */
    get fromEnvelope(): boolean {
        return this.own && this.issue.recipient !== "code";
    }

    /* The name under which the file was issued; the page's own address is never read. */
    get fileName(): string {
        if (this.own) return this.fromEnvelope ? `enveloppe-${this.issue.client}.html` : "trousseau.html";
        return `${this.issue.person}-${this.issue.client}-${this.issue.serial}.html`;
    }

    /* A button that copies; value is asked for when it is pressed. */
    copyButton(what: string, value: () => string, secret: boolean, text = this.m.copy): HTMLButtonElement {
        const made = button(text, { class: "quiet", "aria-label": `${text}${this.m.colon}${what}` }, "copy");
        const label = made.lastElementChild as HTMLElement;
        made.addEventListener("click", () => {
            void copy(value(), secret, () => this.say(this.m.cleared)).then((done) => {
                if (!done) return this.say(this.m.copyFailed);
                label.textContent = this.m.copied;
                made.classList.add("done");
                this.say(secret ? this.m.copiedFor(CLEAR_AFTER_S) : this.m.copied);
                window.setTimeout(() => {
                    label.textContent = text;
                    made.classList.remove("done");
                }, 2500);
            });
        });
        return made;
    }

    /* Numbered steps; the values in them are copied at a touch. */
    steps(steps: Step[]): HTMLOListElement {
        const part = (piece: Step[number]): Child => {
            if (typeof piece === "string") return piece;
            if ("strong" in piece) return h("strong", {}, piece.strong);
            return h("span", { class: "inline-copy" }, h("code", {}, piece.copy), this.copyButton(piece.copy, () => piece.copy, false));
        };
        return h("ol", { class: "steps" }, ...steps.map((step) => h("li", {}, ...step.map(part))));
    }

    /* A part that folds open, built when it first does. */
    fold(key: string, summary: Child[], build: () => Child[]): HTMLDetailsElement {
        const body = h("div", { class: "fold-body" });
        const fold = h("details", { class: "fold" }, h("summary", {}, ...summary), body);
        fold.addEventListener("toggle", () => {
            if (fold.open) this.opened.add(key);
            else this.opened.delete(key);
            if (fold.open && !body.firstChild) body.append(...build().filter((child): child is Node | string => child !== null));
        });
        fold.open = this.opened.has(key);
        return fold;
    }

    command(text: string): HTMLDivElement {
        const code = h("code", {}, text);
        return h("div", { class: "command" }, h("pre", { tabindex: "0" }, code), this.copyButton(this.m.command, () => text, false, this.m.copyCommand));
    }
}

/* Gives the reader a file that this page has made. */
export function download(name: string, type: string, content: string): void {
    const address = URL.createObjectURL(new Blob([content], { type }));
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    window.setTimeout(() => URL.revokeObjectURL(address), 60000);
}
