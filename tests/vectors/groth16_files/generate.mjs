// Writes this folder's keys, witness and proof: chain.circom compiled by circom2, keys, witness and proof
// made by snarkjs. New randomness, so new keys and proof, each time. Takes seconds.
//
//     cp ../package.json *.mjs chain.circom /some/empty/folder && cd /some/empty/folder
//     npm install && node generate.mjs /path/to/tests/vectors/groth16_files

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as snarkjs from "snarkjs";

const out = process.argv[2] ?? import.meta.dirname;
const work = mkdtempSync(join(tmpdir(), "groth16-files-"));
const at = (name) => join(work, name);

mkdirSync("made", { recursive: true });
// --O1 keeps the two linear constraints, rows whose A and B are empty.
execFileSync("npx", ["circom2", "chain.circom", "--r1cs", "--wasm", "--O1", "-o", "made"], { stdio: "inherit" });
copyFileSync("made/chain.r1cs", at("chain.r1cs"));
await snarkjs.wtns.calculate({ start: "5", x: "12345678901234567890", k: "181" }, "made/chain_js/chain.wasm",
  at("chain.wtns"));

const curve = await snarkjs.curves.getCurveFromName("bn128");
await snarkjs.powersOfTau.newAccumulator(curve, 8, at("0.ptau"));
await snarkjs.powersOfTau.contribute(at("0.ptau"), at("1.ptau"), "one", "any entropy");
await snarkjs.powersOfTau.preparePhase2(at("1.ptau"), at("final.ptau"));
await snarkjs.zKey.newZKey(at("chain.r1cs"), at("final.ptau"), at("uncontributed.zkey"));
await snarkjs.zKey.contribute(at("uncontributed.zkey"), at("chain.zkey"), "two", "any entropy");

const { proof, publicSignals } = await snarkjs.groth16.prove(at("chain.zkey"), at("chain.wtns"));
const key = await snarkjs.zKey.exportVerificationKey(at("chain.zkey"));
if (!(await snarkjs.groth16.verify(key, publicSignals, proof))) throw new Error("snarkjs refuses its own proof");

const write = (name, value) => writeFileSync(join(out, name), JSON.stringify(value, null, 1) + "\n");
for (const name of ["chain.r1cs", "chain.zkey", "uncontributed.zkey", "chain.wtns"]) copyFileSync(at(name), join(out, name));
write("verification_key.json", key);
write("public.json", publicSignals);
write("proof.json", proof);
process.exit(0);
