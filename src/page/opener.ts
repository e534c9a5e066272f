/* Runs the opening in a worker, so that the page stays alive and can cancel it. */
import source from "virtual:worker";
import type { Order, Report } from "./worker";

export interface OpenerEvents {
    report(report: Report): void;
    broken(): void; /* this viewer gives no worker */
}

/* Starts; the returned function stops it and forgets everything. */
export function open(order: Order, events: OpenerEvents): () => void {
    let worker: Worker | null = null;
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const stop = (): void => {
        worker?.terminate();
        worker = null;
        URL.revokeObjectURL(address);
    };
    try {
        worker = new Worker(address);
    } catch {
        stop();
        events.broken();
        return stop;
    }
    worker.addEventListener("message", (event: MessageEvent<Report>) => {
        if (!worker) return;
        if (event.data.kind !== "progress") stop();
        events.report(event.data);
    });
    worker.addEventListener("error", () => {
        if (!worker) return;
        stop();
        events.broken();
    });
    worker.postMessage(order);
    return stop;
}
