// What the cross-checks ask of snarkjs, one step a call; the exit code is 0 when it says yes.
//
//     node snarkjs.mjs NODE_MODULES verify VKEY.json PUBLIC.json PROOF.json
//     node snarkjs.mjs NODE_MODULES prove KEY.zkey WITNESS.wtns PROOF.json PUBLIC.json
//     node snarkjs.mjs NODE_MODULES witness PROGRAM.wasm INPUT.json WITNESS.wtns
//     node snarkjs.mjs NODE_MODULES check CIRCUIT.r1cs WITNESS.wtns
//     node snarkjs.mjs NODE_MODULES setup CIRCUIT.r1cs POWER KEY.zkey VKEY.json   (a ceremony of one)
//     node snarkjs.mjs NODE_MODULES contribute BEFORE.zkey AFTER.zkey NAME
//     node snarkjs.mjs NODE_MODULES verify-key CIRCUIT.r1cs POWERS.ptau KEY.zkey

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [modules, step, ...names] = process.argv.slice(2);
const snarkjs = createRequire(join(modules, "any.js"))("snarkjs");
const read = (name) => JSON.parse(readFileSync(name));
const quiet = { debug() {}, info() {}, warn() {}, error() {} }; // it fails without one where it says no
const write = (name, value) => writeFileSync(name, JSON.stringify(value));

const steps = {
  verify: (key, publicSignals, proof) => snarkjs.groth16.verify(read(key), read(publicSignals), read(proof)),
  async prove(key, witness, proofName, publicName) {
    const { proof, publicSignals } = await snarkjs.groth16.prove(key, witness);
    write(proofName, proof);
    write(publicName, publicSignals);
    return true;
  },
  async witness(program, input, witness) {
    await snarkjs.wtns.calculate(read(input), program, witness);
    return true;
  },
  check: (circuit, witness) => snarkjs.wtns.check(circuit, witness, quiet),
  async setup(circuit, power, key, verifyingKey) {
    const curve = await snarkjs.curves.getCurveFromName("bn128");
    const at = (name) => `${key}.${name}`;
    await snarkjs.powersOfTau.newAccumulator(curve, Number(power), at("0.ptau"));
    await snarkjs.powersOfTau.contribute(at("0.ptau"), at("1.ptau"), "one", "any entropy");
    await snarkjs.powersOfTau.preparePhase2(at("1.ptau"), at("ptau"));
    await snarkjs.zKey.newZKey(circuit, at("ptau"), at("0"));
    await snarkjs.zKey.contribute(at("0"), key, "two", "any entropy");
    write(verifyingKey, await snarkjs.zKey.exportVerificationKey(key));
    return true;
  },
  async contribute(before, after, name) {
    await snarkjs.zKey.contribute(before, after, name, "any entropy");
    return true;
  },
  "verify-key": (circuit, powers, key) => snarkjs.zKey.verifyFromR1cs(circuit, powers, key, quiet),
};

const yes = await steps[step](...names);
console.log(yes ? "yes" : "no");
process.exit(yes ? 0 : 1);
