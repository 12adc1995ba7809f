// Proves with snarkjs under a key of ours, and asks snarkjs whether the proof holds under the verification key
// that it takes out of that key: exit code 0 when it does.
//
//     zkrollup setup chain.r1cs /tmp/ours.zkey
//     node prove.mjs /tmp/ours.zkey chain.wtns
//
// in a folder as generate.mjs describes it.

import * as snarkjs from "snarkjs";

const [zkey, witness] = process.argv.slice(2, 4);
const { proof, publicSignals } = await snarkjs.groth16.prove(zkey, witness);
const key = await snarkjs.zKey.exportVerificationKey(zkey);
const holds = await snarkjs.groth16.verify(key, publicSignals, proof);
console.log(holds ? "snarkjs: its proof under our key holds" : "snarkjs: its proof under our key does not hold");
process.exit(holds ? 0 : 1);
