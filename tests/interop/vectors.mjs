// Writes each of age's test vectors (npm cctv-age) into the folder given.
import fs from "node:fs";
import path from "node:path";
import * as vectors from "cctv-age";

const folder = process.argv[2];
const all = vectors.default ?? vectors;
for (const [name, bytes] of Object.entries(all))
    fs.writeFileSync(path.join(folder, name), bytes);
