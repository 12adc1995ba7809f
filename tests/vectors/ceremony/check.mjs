// zkrollup and snarkjs on each other's ceremonies: exit code 0 when each accepts all that the other made, and
// snarkjs refuses a key of ours with one byte changed. Seconds.
//
//     cp ../package.json check.mjs ../circom/mixed.r1cs ../circom/mixed.wtns /some/empty/folder
//     cd /some/empty/folder && npm install && node check.mjs [power [command of zkrollup ...]]

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as snarkjs from "snarkjs";

const power = Number(process.argv[2] ?? 6);
const command = process.argv.length > 3 ? process.argv.slice(3) : ["zkrollup"];
const work = mkdtempSync(join(tmpdir(), "ceremony-check-"));
const at = (name) => join(work, name);
const { powersOfTau, zKey, groth16 } = snarkjs;
const curve = await snarkjs.curves.getCurveFromName("bn128");
const value = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";
const complaints = { error: console.error, warn: console.error, info() {}, debug() {}, log() {} };

const ours = (...words) =>
  execFileSync(command[0], [...command.slice(1), ...words], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
const check = (what, holds) => {
  if (!holds) {
    console.error(`does not hold: ${what}`);
    process.exit(1);
  }
  console.log(`holds: ${what}`);
};
const proves = async (key) => {
  const { proof, publicSignals } = await groth16.prove(key, "mixed.wtns");
  return groth16.verify(await zKey.exportVerificationKey(key), publicSignals, proof);
};

// Powers by snarkjs, keys by both.
await powersOfTau.newAccumulator(curve, power, at("s0.ptau"));
await powersOfTau.contribute(at("s0.ptau"), at("s1.ptau"), "snarkjs", "any entropy");
await powersOfTau.beacon(at("s1.ptau"), at("s2.ptau"), "snarkjs's beacon", value, 10);
await powersOfTau.preparePhase2(at("s2.ptau"), at("s.ptau"));
await zKey.newZKey("mixed.r1cs", at("s.ptau"), at("s0.zkey"));
for (const [powers, how] of [["s.ptau", "prepared"], ["s2.ptau", "not prepared"]]) {
  ours("setup", "mixed.r1cs", at("o0.zkey"), "--ptau", at(powers));
  const same = readFileSync(at("o0.zkey")).equals(readFileSync(at("s0.zkey")));
  check(`our first key from powers that are ${how} has the bytes of snarkjs's`, same);
}
ours("contribute", at("o0.zkey"), at("o1.zkey"), "--name", "ours");
await zKey.contribute(at("o1.zkey"), at("o2.zkey"), "snarkjs", "any entropy");
ours("contribute", at("o2.zkey"), at("o3.zkey"), "--name", "our beacon", "--beacon", value, "--iterations", "11");
check("snarkjs accepts our key", await zKey.verifyFromR1cs("mixed.r1cs", at("s.ptau"), at("o3.zkey"), complaints));
check("snarkjs proves with our key, and verifies", await proves(at("o3.zkey")));
ours("check-key", "mixed.r1cs", at("s.ptau"), at("o3.zkey"));
check("zkrollup accepts our key", true);
const damaged = readFileSync(at("o3.zkey"));
damaged[damaged.length - 700] ^= 1;
writeFileSync(at("bad.zkey"), damaged);
check("snarkjs refuses it with a byte changed",
  !(await zKey.verifyFromR1cs("mixed.r1cs", at("s.ptau"), at("bad.zkey")).catch(() => false)));

await zKey.contribute(at("s0.zkey"), at("s1.zkey"), "snarkjs", "any entropy");
await zKey.beacon(at("s1.zkey"), at("s2.zkey"), "snarkjs's beacon", value, 10);
ours("check-key", "mixed.r1cs", at("s.ptau"), at("s2.zkey"));
check("zkrollup accepts snarkjs's key", true);
ours("ptau", "verify", at("s.ptau"));
check("zkrollup accepts snarkjs's powers", true);

// Powers by both, prepared by us.
ours("ptau", "new", String(power), at("o0.ptau"));
check("our empty powers have the bytes of snarkjs's", readFileSync(at("o0.ptau")).equals(readFileSync(at("s0.ptau"))));
ours("ptau", "contribute", at("o0.ptau"), at("o1.ptau"), "--name", "ours");
await powersOfTau.contribute(at("o1.ptau"), at("o2.ptau"), "snarkjs", "any entropy");
ours("ptau", "contribute", at("o2.ptau"), at("o3.ptau"), "--name", "our beacon", "--beacon", value, "--iterations", "11");
await powersOfTau.preparePhase2(at("o3.ptau"), at("prepared.ptau"));
ours("ptau", "prepare", at("o3.ptau"), at("o.ptau"));
check("our prepared powers have the bytes of snarkjs's",
  readFileSync(at("o.ptau")).equals(readFileSync(at("prepared.ptau"))));
check("snarkjs accepts our powers", await powersOfTau.verify(at("o.ptau"), complaints));
ours("ptau", "verify", at("o.ptau"));
check("zkrollup accepts our powers", true);
ours("setup", "mixed.r1cs", at("p0.zkey"), "--ptau", at("o.ptau"));
ours("contribute", at("p0.zkey"), at("p1.zkey"));
check("snarkjs accepts our key from our powers",
  await zKey.verifyFromR1cs("mixed.r1cs", at("o.ptau"), at("p1.zkey"), complaints));
check("snarkjs proves with it, and verifies", await proves(at("p1.zkey")));
process.exit(0);
