/* Copies, and takes secrets out of the clipboard again. */
export const CLEAR_AFTER_S = 30;

let timer = 0;
let due = false;
let held: (() => void) | null = null; /* a secret is in the clipboard: whom to tell that it left */

async function write(text: string): Promise<boolean> {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        return writeOldWay(text);
    }
}

/* For viewers without the clipboard's own interface. */
function writeOldWay(text: string): boolean {
    const area = document.createElement("textarea");
    const before = document.activeElement;
    area.value = text;
    area.className = "spoken";
    document.body.append(area);
    area.select();
    let done = false;
    try {
        done = document.execCommand("copy");
    } catch {
        done = false;
    }
    area.value = "";
    area.remove();
    if (before instanceof HTMLElement) before.focus();
    return done;
}

/* A browser may refuse a write that no gesture asked for, and a page without the focus:
 * what is due is then tried again. */
async function clear(): Promise<void> {
    const cleared = held;
    if (!due || !cleared || !document.hasFocus()) return;
    due = false;
    const done = await write(" ");
    if (held !== cleared) return; /* another copy took its place */
    due = !done;
    if (!done) return;
    held = null;
    cleared();
}

for (const sign of ["focus", "click", "keydown"]) window.addEventListener(sign, () => void clear());

/* Copies text; a secret leaves the clipboard after CLEAR_AFTER_S, or, where that is
 * refused, when the reader comes back or does something here. */
export async function copy(text: string, secret: boolean, cleared: () => void): Promise<boolean> {
    window.clearTimeout(timer);
    due = false;
    const done = await write(text);
    if (!done) {
        due = held !== null;
        return false;
    }
    held = secret ? () => cleared() : null;
    if (secret) timer = window.setTimeout(clearNow, CLEAR_AFTER_S * 1000);
    return true;
}

/* Takes a copied secret out at once: for locking. */
export function clearNow(): void {
    window.clearTimeout(timer);
    due = held !== null;
    void clear();
}
