// Writes the vectors of MiMC7, MiMC-sponge, Pedersen hash, the EdDSA variants with them, and Noir's Poseidon2
// sponge, with circomlibjs and @zkpassport/poseidon2; the same bytes each time.
//
//     cp package.json generate_gadgets.mjs /some/empty/folder && cd /some/empty/folder
//     npm install && node generate_gadgets.mjs /path/to/tests/vectors
//
// Numbers are decimal strings, byte strings are hex.

import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildBabyjub, buildEddsa, buildMimc7, buildMimcSponge, buildPedersenHash } from "circomlibjs";
import { poseidon2Hash } from "@zkpassport/poseidon2";

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

const babyjub = await buildBabyjub();
const eddsa = await buildEddsa();
const mimc7 = await buildMimc7();
const sponge = await buildMimcSponge();
const pedersen = await buildPedersenHash();
const F = babyjub.F;
const point = (p) => p.map((x) => F.toObject(x));
const numbers = (label, n) => Array.from({ length: n }, (_, i) => number(`${label}/${i}`));

const pairs = [[0n, 0n], [1n, 0n], [0n, 1n], [r - 1n, r - 1n], numbers("mimc/pair", 2)];
write("mimc", "mimc7", pairs.map(([x, k]) => ({ x, k, output: F.toObject(mimc7.hash(F.e(x), F.e(k))) })));
const lists = [[0n], [1n, 2n], [r - 1n, 0n, 1n], numbers("mimc/list", 5)];
write("mimc", "mimc7_multi", lists.flatMap((inputs) => [0n, number("mimc/key")].map((key) => ({
  inputs, key, output: F.toObject(mimc7.multiHash(inputs.map((x) => F.e(x)), F.e(key))),
}))));
write("mimc", "feistel", pairs.flatMap(([left, right]) => [0n, number("mimc/key")].map((k) => {
  const { xL, xR } = sponge.hash(F.e(left), F.e(right), F.e(k));
  return { left, right, k, output: [F.toObject(xL), F.toObject(xR)] };
})));
write("mimc", "sponge", lists.flatMap((inputs) => [0n, number("mimc/key")].flatMap((key) => [1, 3].map((count) => {
  const output = sponge.multiHash(inputs.map((x) => F.e(x)), F.e(key), count);
  return { inputs, key, output: (count === 1 ? [output] : output).map((x) => F.toObject(x)) };
}))));

const lengths = [1, 2, 24, 25, 26, 32, 50, 51, 75, 100];
const messages = [
  Buffer.alloc(32), Buffer.alloc(32, 0xff), ...lengths.map((n) => bytes(`pedersen/${n}`, n)),
];
write("pedersen", "hash", messages.map((message) => {
  const packed = pedersen.hash(message);
  return { message: "0x" + hex(message), packed: hex(packed), point: point(babyjub.unpackPoint(Uint8Array.from(packed))) };
}));
write("pedersen", "bases", Array.from({ length: 10 }, (_, i) => ({ segment: i, base: point(pedersen.getBasePoint("blake", i)) })));

const seeds = [Buffer.alloc(32), bytes("seed/0", 32)];
const signed = (sign, verify, message) => seeds.flatMap((seed) => {
  const key = eddsa.prv2pub(seed);
  const signature = sign(seed, message);
  if (!verify(message, signature, key)) throw new Error("circomlibjs refuses its own signature");
  return { seed: hex(seed), key: point(key), r8: point(signature.R8), s: signature.S };
});
for (const [name, sign, verify] of [
  ["mimc7", "signMiMC", "verifyMiMC"], ["mimc_sponge", "signMiMCSponge", "verifyMiMCSponge"],
]) {
  write("eddsa", `signatures_${name}`, [0n, 1n, r - 1n, number("message/0")].flatMap((message) =>
    signed((seed, m) => eddsa[sign](seed, m), (m, s, k) => eddsa[verify](m, s, k), F.e(message))
      .map((x) => ({ ...x, message }))));
}
write("eddsa", "signatures_pedersen", [0, 1, 10, 32].flatMap((n) => {
  const message = bytes(`pedersen message/${n}`, n);
  return signed((seed, m) => eddsa.signPedersen(seed, m), (m, s, k) => eddsa.verifyPedersen(m, s, k), message)
    .map((x) => ({ ...x, message: "0x" + hex(message) }));
}));

write("poseidon2", "noir_sponge", [...Array(8).keys()].map((n) => n + 1).flatMap((n) =>
  [Array(n).fill(0n), Array.from({ length: n }, (_, i) => BigInt(i + 1)), numbers(`poseidon2/${n}`, n)]
    .map((inputs) => ({ inputs, output: poseidon2Hash(inputs) }))));
