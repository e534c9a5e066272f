/* Stands in for @noble/hashes/scrypt.js where age-encryption imports it (build.mjs):
 * the same function, telling how far it is. */
import { scrypt as compute } from "@noble/hashes/scrypt.js";

type Listener = (done: number) => void;

const EVERY_MS = 50;
let listener: Listener = () => undefined;

export function onProgress(told: Listener): void {
    listener = told;
}

type Parameters3 = Parameters<typeof compute>;

export function scrypt(password: Parameters3[0], salt: Parameters3[1], options: Parameters3[2]): Uint8Array {
    let last = 0;
    return compute(password, salt, {
        ...options,
        onProgress: (done: number) => {
            const now = Date.now();
            if (now - last < EVERY_MS && done < 1) return;
            last = now;
            listener(done);
        },
    });
}
