// Writes the vectors of Poseidon, BabyJubJub, EdDSA, BLAKE-512 with circomlibjs; the same bytes each time.
//
//     cp package.json generate.mjs /some/empty/folder && cd /some/empty/folder
//     npm install && node generate.mjs /path/to/tests/vectors
//
// Numbers are decimal strings, byte strings are hex. One file a case: <function>/<case>.json.

import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import createBlakeHash from "blake-hash";
import { buildBabyjub, buildEddsa, buildPoseidonReference } from "circomlibjs";

const out = process.argv[2] ?? import.meta.dirname;
const r = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

const bytes = (label, count) => {
  let data = Buffer.alloc(0);
  for (let i = 0; data.length < count; i++) {
    data = Buffer.concat([data, createHash("sha256").update(`${label}/${i}`).digest()]);
  }
  return data.subarray(0, count);
};
const number = (label, modulus = r) => BigInt("0x" + bytes(label, 64).toString("hex")) % modulus;
const hex = (data) => Buffer.from(data).toString("hex");
const write = (folder, name, value) => {
  mkdirSync(join(out, folder), { recursive: true });
  const text = JSON.stringify(value, (_, v) => (typeof v === "bigint" ? v.toString() : v), 1);
  writeFileSync(join(out, folder, `${name}.json`), text + "\n");
};

const poseidon = await buildPoseidonReference();
const babyjub = await buildBabyjub();
const eddsa = await buildEddsa();
const F = babyjub.F;
const point = (p) => p.map((x) => F.toObject(x));
const element = (p) => p.map((x) => F.e(x));

for (let n = 1; n <= 16; n++) {
  const lists = [
    Array(n).fill(0n),
    Array.from({ length: n }, (_, i) => BigInt(i + 1)),
    Array(n).fill(r - 1n),
    Array.from({ length: n }, (_, i) => number(`poseidon/${n}/${i}`)),
  ];
  const cases = lists.map((inputs) => ({ inputs, output: F.toObject(poseidon(inputs.map((x) => F.e(x)))) }));
  write("poseidon", `${String(n).padStart(2, "0")}_inputs`, cases);
}

const identity = [0n, 1n];
const base8 = point(babyjub.Base8);
const generator = point(babyjub.Generator);
const multiple = (p, k) => point(babyjub.mulPointEscalar(element(p), k));
const torsion = multiple(generator, babyjub.subOrder); // of order 8
const points = [identity, base8, generator, [base8[0] === 0n ? 0n : r - base8[0], base8[1]], [0n, r - 1n], torsion];
for (let i = 0; i < 4; i++) points.push(multiple(generator, number(`point/${i}`, babyjub.order)));

write(
  "babyjubjub",
  "add",
  points.flatMap((p) => points.map((q) => ({ p, q, sum: point(babyjub.addPoint(element(p), element(q))) }))),
);
const scalars = [0n, 1n, 2n, 8n, babyjub.subOrder - 1n, babyjub.subOrder, babyjub.subOrder + 1n, r, (1n << 254n) - 1n];
for (let i = 0; i < 3; i++) scalars.push(number(`scalar/${i}`));
write(
  "babyjubjub",
  "mul",
  [base8, generator, torsion, points.at(-1)].flatMap((p) =>
    scalars.map((scalar) => ({ p, scalar, product: multiple(p, scalar) })),
  ),
);
write(
  "babyjubjub",
  "pack",
  points.map((p) => ({ p, packed: hex(babyjub.packPoint(element(p))), in_subgroup: babyjub.inSubgroup(element(p)) })),
);

const seeds = [Buffer.alloc(32), Buffer.alloc(32, 0xff), Buffer.from([...Array(32).keys()])];
for (let i = 0; i < 5; i++) seeds.push(bytes(`seed/${i}`, 32));
write("eddsa", "keys", seeds.map((seed) => {
  const key = eddsa.prv2pub(seed);
  return { seed: hex(seed), key: point(key), packed: hex(babyjub.packPoint(key)) };
}));
const messages = [0n, 1n, r - 1n, number("message/0"), number("message/1")];
write("eddsa", "signatures", seeds.flatMap((seed) => messages.map((message) => {
  const key = eddsa.prv2pub(seed);
  const signature = eddsa.signPoseidon(seed, F.e(message));
  if (!eddsa.verifyPoseidon(F.e(message), signature, key)) throw new Error("circomlibjs refuses its own signature");
  return {
    seed: hex(seed), key: point(key), message,
    r8: point(signature.R8), s: signature.S, packed: hex(eddsa.packSignature(signature)),
  };
})));

const lengths = [0, 1, 32, 64, 110, 111, 112, 113, 127, 128, 129, 239, 240, 255, 256, 300];
write("blake512", "lengths", lengths.map((length) => {
  const data = bytes(`blake/${length}`, length);
  return { data: hex(data), digest: hex(createBlakeHash("blake512").update(data).digest()) };
}));
