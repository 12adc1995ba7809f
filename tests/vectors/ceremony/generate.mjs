// Writes this folder's powers of tau and keys, all made by snarkjs for ../circom/mixed.r1cs, whose domain has 32
// rows: with powers for 32 (one power is missing for H) and for 64. New randomness, so new bytes, each time.
// Takes seconds.
//
//     cp ../package.json generate.mjs ../circom/mixed.r1cs /some/empty/folder && cd /some/empty/folder
//     npm install && node generate.mjs /path/to/tests/vectors/ceremony

import { copyFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as snarkjs from "snarkjs";

const out = process.argv[2] ?? import.meta.dirname;
const work = mkdtempSync(join(tmpdir(), "ceremony-"));
const at = (name) => join(work, name);
const { powersOfTau, zKey } = snarkjs;
const curve = await snarkjs.curves.getCurveFromName("bn128");
const beacon = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";

for (const power of [5, 6]) {
  await powersOfTau.newAccumulator(curve, power, at("0.ptau"));
  await powersOfTau.contribute(at("0.ptau"), at("1.ptau"), "first", "any entropy");
  await powersOfTau.contribute(at("1.ptau"), at("2.ptau"), "", "any entropy");
  await powersOfTau.beacon(at("2.ptau"), at("raw.ptau"), "a beacon", beacon, 10);
  await powersOfTau.preparePhase2(at("raw.ptau"), at("prepared.ptau"));
  await zKey.newZKey("mixed.r1cs", at("prepared.ptau"), at("0.zkey"));
  await zKey.contribute(at("0.zkey"), at("1.zkey"), "one", "any entropy");
  await zKey.contribute(at("1.zkey"), at("2.zkey"), "", "any entropy");
  await zKey.beacon(at("2.zkey"), at("3.zkey"), "a beacon", beacon, 10);
  if (!(await zKey.verifyFromR1cs("mixed.r1cs", at("prepared.ptau"), at("3.zkey")))) throw new Error("refused");
  if (power === 5) {
    copyFileSync(at("prepared.ptau"), join(out, "prepared_5.ptau"));
    copyFileSync(at("raw.ptau"), join(out, "raw_5.ptau"));
    copyFileSync(at("3.zkey"), join(out, "contributed_5.zkey"));
  } else copyFileSync(at("raw.ptau"), join(out, "raw_6.ptau"));
  copyFileSync(at("0.zkey"), join(out, `initial_${power}.zkey`));
}
process.exit(0);
