// Writes groth16/product/: a verifying key, public inputs and a proof made by snarkjs, and the key as it
// is before anyone contributed to phase 2, when gamma = delta. New randomness, so new bytes, each time.
//
//     cp package.json generate_groth16.mjs /some/empty/folder && cd /some/empty/folder
//     npm install && node generate_groth16.mjs /path/to/tests/vectors
//
// The circuit: given public p and s, the prover knows a, b, c with (a b) c = p and a + b + c = s.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as snarkjs from "snarkjs";

const out = join(process.argv[2] ?? import.meta.dirname, "groth16", "product");
const r = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

const u32 = (x) => { const b = Buffer.alloc(4); b.writeUInt32LE(x); return b; };
const u64 = (x) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(x)); return b; };
const element = (x) => Buffer.from(x.toString(16).padStart(64, "0"), "hex").reverse();
const file = (magic, version, sections) => Buffer.concat([
  Buffer.from(magic), u32(version), u32(sections.length),
  ...sections.flatMap(([type, data]) => [u32(type), u64(data.length), data]),
]);
const combination = (terms) => Buffer.concat([
  u32(terms.length), ...terms.flatMap(([wire, value]) => [u32(wire), element(value)]),
]);

// wires: 1, p, s, a, b, c, a b
const rows = [
  [[[3, 1n]], [[4, 1n]], [[6, 1n]]],
  [[[6, 1n]], [[5, 1n]], [[1, 1n]]],
  [[[3, 1n], [4, 1n], [5, 1n]], [[0, 1n]], [[2, 1n]]],
];
const r1cs = file("r1cs", 1, [
  [1, Buffer.concat([u32(32), element(r), u32(7), u32(0), u32(2), u32(3), u64(7), u32(rows.length)])],
  [2, Buffer.concat(rows.flat().map(combination))],
  [3, Buffer.concat([...Array(7).keys()].map(u64))],
]);
const [a, b, c] = [123456789n, 987654321n, r - 5n];
const values = [1n, (a * b * c) % r, (a + b + c) % r, a, b, c, a * b];
const wtns = file("wtns", 2, [
  [1, Buffer.concat([u32(32), element(r), u32(values.length)])],
  [2, Buffer.concat(values.map(element))],
]);

const mem = (data) => ({ type: "mem", data: data === undefined ? undefined : new Uint8Array(data) });
const ptau0 = mem(), ptau1 = mem(), ptau = mem(), zkey0 = mem(), zkey = mem();
const curve = await snarkjs.curves.getCurveFromName("bn128");
await snarkjs.powersOfTau.newAccumulator(curve, 4, ptau0);
await snarkjs.powersOfTau.contribute(ptau0, ptau1, "one", "any entropy");
await snarkjs.powersOfTau.preparePhase2(ptau1, ptau);
await snarkjs.zKey.newZKey(mem(r1cs), ptau, zkey0);
await snarkjs.zKey.contribute(zkey0, zkey, "two", "any entropy");
const { proof, publicSignals } = await snarkjs.groth16.prove(zkey, mem(wtns));
const key = await snarkjs.zKey.exportVerificationKey(zkey);
if (!(await snarkjs.groth16.verify(key, publicSignals, proof))) throw new Error("snarkjs refuses its own proof");

mkdirSync(out, { recursive: true });
const write = (name, value) => writeFileSync(join(out, name), JSON.stringify(value, null, 1) + "\n");
write("verification_key.json", key);
write("uncontributed_key.json", await snarkjs.zKey.exportVerificationKey(zkey0));
write("proof.json", proof);
write("public.json", publicSignals);
writeFileSync(join(out, "calldata.txt"), (await snarkjs.groth16.exportSolidityCallData(proof, publicSignals)) + "\n");
process.exit(0);
