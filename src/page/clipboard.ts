/* Copies, and takes secrets out of the clipboard again. */
export const CLEAR_AFTER_S = 30;

let timer = 0;
let due = false;
let pending: (() => void) | null = null;

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

async function clear(cleared: () => void): Promise<void> {
    if (!due) return;
    if (!document.hasFocus()) return; /* no page may write unseen: it waits for the focus */
    due = false;
    if (await write(" ")) cleared();
}

/* Copies text; a secret leaves the clipboard after CLEAR_AFTER_S, or, if the reader is
 * elsewhere then, when he comes back. */
export async function copy(text: string, secret: boolean, cleared: () => void): Promise<boolean> {
    window.clearTimeout(timer);
    window.onfocus = null;
    pending = null;
    due = false;
    const done = await write(text);
    if (!done || !secret) return done;
    timer = window.setTimeout(() => {
        due = true;
        void clear(cleared);
    }, CLEAR_AFTER_S * 1000);
    window.onfocus = () => void clear(cleared);
    pending = () => {
        window.clearTimeout(timer);
        due = true;
        void clear(cleared);
    };
    return true;
}

/* Takes a copied secret out at once: for locking. */
export function clearNow(): void {
    pending?.();
    pending = null;
}
