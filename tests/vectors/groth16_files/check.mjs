// snarkjs's verdict on a proof: exit code 0 when it holds.
//
//     zkrollup prove chain.zkey chain.wtns /tmp/proof.json /tmp/public.json
//     node check.mjs verification_key.json /tmp/public.json /tmp/proof.json
//
// in a folder as generate.mjs describes it.

import { readFileSync } from "node:fs";
import * as snarkjs from "snarkjs";

const [key, publicSignals, proof] = process.argv.slice(2, 5).map((name) => JSON.parse(readFileSync(name)));
const holds = await snarkjs.groth16.verify(key, publicSignals, proof);
console.log(holds ? "snarkjs: the proof holds" : "snarkjs: the proof does not hold");
process.exit(holds ? 0 : 1);
