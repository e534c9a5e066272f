/* What build.mjs makes while bundling. */

declare module "virtual:words" {
    /* The BIP-39 lists of src/crypto, without accents, in one blank-separated text each. */
    export const french: string;
    export const english: string;
}

declare module "virtual:worker" {
    /* worker.ts with all that it needs, as one classic script. */
    const source: string;
    export default source;
}
