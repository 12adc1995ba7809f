// Writes operations.json, what circomlibjs's sparse Merkle tree answers; the same bytes each time.
//
//     cp ../package.json generate.mjs /some/empty/folder && cd /some/empty/folder
//     npm install && node generate.mjs /path/to/tests/vectors/smt
//
// A list of histories; each starts from the empty tree. Numbers are decimal strings.

import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { newMemEmptyTrie } from "circomlibjs";

const out = process.argv[2] ?? import.meta.dirname;
const r = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
const random = (label) =>
  BigInt("0x" + createHash("sha512").update(label).digest("hex")) % r;

const insert = (key, value) => ({ op: "insert", key, value });
const update = (key, value) => ({ op: "update", key, value });
const remove = (key) => ({ op: "delete", key });
const find = (key) => ({ op: "find", key });

const small = [insert(1n, 10n), insert(2n, 20n), insert(3n, 30n), update(2n, 21n), find(2n), find(4n), find(5n)];
const ends = [
  find(7n), insert(0n, 0n), find(0n), find(r - 1n), insert(r - 1n, r - 1n), find(r - 1n), find(1n),
  update(0n, r - 1n), remove(r - 1n), remove(0n), find(0n),
];
// Keys that share long prefixes: the first difference in bit 9, 30, 200.
const prefixes = [
  insert(5n, 1n), insert(5n + (1n << 9n), 2n), insert(5n + (1n << 30n), 3n), find(5n + (1n << 31n)),
  insert(5n + (1n << 200n), 4n), find(5n + (1n << 10n)), remove(5n + (1n << 9n)), remove(5n),
  find(5n), remove(5n + (1n << 30n)), remove(5n + (1n << 200n)),
];
// Deletion beside a leaf, beside a node, of a leaf above which nodes are alone.
const deletions = [
  insert(0b000n, 1n), insert(0b100n, 2n), insert(0b010n, 3n), insert(0b001n, 4n), remove(0b010n),
  remove(0b100n), insert(0b1000n, 5n), remove(0b000n), remove(0b001n), remove(0b1000n),
];
const many = [];
for (let i = 0; i < 12; i++) many.push(insert(random(`key/${i}`), random(`value/${i}`)));
for (let i = 0; i < 12; i += 3) many.push(update(random(`key/${i}`), random(`other/${i}`)));
for (let i = 0; i < 4; i++) many.push(find(random(`absent/${i}`)), find(random(`key/${i}`)));
for (let i = 0; i < 12; i += 2) many.push(remove(random(`key/${i}`)));

const histories = [];
for (const [name, operations] of Object.entries({ small, ends, prefixes, deletions, many })) {
  const tree = await newMemEmptyTrie();
  const plain = (x) => (x === undefined ? undefined : typeof x === "boolean" ? x : tree.F.toObject(x));
  const steps = [];
  for (const { op, key, value } of operations) {
    const k = tree.F.e(key);
    const answer =
      op === "insert" ? await tree.insert(k, tree.F.e(value))
      : op === "update" ? await tree.update(k, tree.F.e(value))
      : op === "delete" ? await tree.delete(k)
      : await tree.find(k);
    const step = { op, key, value, root: plain(tree.root), siblings: answer.siblings.map(plain) };
    for (const field of ["oldKey", "oldValue", "isOld0", "found", "foundValue", "notFoundKey", "notFoundValue"]) {
      if (answer[field] !== undefined) step[field] = plain(answer[field]);
    }
    steps.push(step);
  }
  histories.push({ name, steps });
}
const text = JSON.stringify(histories, (_, v) => (typeof v === "bigint" ? v.toString() : v), 1);
writeFileSync(join(out, "operations.json"), text + "\n");
