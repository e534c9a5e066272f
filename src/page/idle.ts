/* Locks when nothing has happened for a while, with a warning in time to prevent it. */
const LOCK_AFTER_S = 300;
const WARN_FOR_S = 30;
/* A screen reader presses a button by a click alone, and a phone's way back cancels a dialogue. */
const SIGNS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "scroll", "click", "cancel"];

export interface IdleEvents {
    warn(seconds: number): void;
    calm(): void;
    lock(): void;
}

/* Watches until the returned function is called. The wall clock counts: time asleep is
 * time away, and a clock that was turned is no sign of life. */
export function watchIdle(events: IdleEvents): () => void {
    let last = Date.now();
    let warned = false;
    const away = (): number => Math.abs(Date.now() - last) / 1000;
    const look = (): void => {
        const left = Math.ceil(LOCK_AFTER_S - away());
        if (left <= 0) events.lock();
        else if (left <= WARN_FOR_S) {
            warned = true;
            events.warn(left);
        }
    };
    const alive = (): void => {
        if (away() >= LOCK_AFTER_S) return look();
        last = Date.now();
        if (!warned) return;
        warned = false;
        events.calm();
    };
    const gone = (): void => events.lock();
    const timer = window.setInterval(look, 1000);
    for (const sign of SIGNS) window.addEventListener(sign, alive, { passive: true, capture: true });
    document.addEventListener("visibilitychange", look);
    window.addEventListener("pagehide", gone);
    return () => {
        window.clearInterval(timer);
        for (const sign of SIGNS) window.removeEventListener(sign, alive, { capture: true });
        document.removeEventListener("visibilitychange", look);
        window.removeEventListener("pagehide", gone);
    };
}
