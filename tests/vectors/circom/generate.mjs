// Writes mixed.{r1cs,sym,wtns}, what snarkjs reads in the first and the last as JSON, custom_gate.r1cs and
// unused_inputs.r1cs.
//
//     cp package.json generate.mjs *.circom /some/empty/folder && cd /some/empty/folder
//     npm install && node generate.mjs /path/to/tests/vectors/circom

import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync, copyFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as snarkjs from "snarkjs";

const here = import.meta.dirname;
const out = process.argv[2] ?? here;
const work = mkdtempSync(join(tmpdir(), "circom-"));
const circom = (...words) =>
  execFileSync(join(here, "node_modules", ".bin", "circom2"), words, { cwd: work, stdio: "inherit" });
const json = (value) => JSON.stringify(value, (_, x) => (typeof x === "bigint" ? x.toString() : x), 1) + "\n";

for (const name of ["mixed.circom", "custom_gate.circom", "unused_inputs.circom"]) {
  copyFileSync(join(here, name), join(work, name));
}
circom("mixed.circom", "--r1cs", "--wasm", "--sym", "--O1");
circom("custom_gate.circom", "--r1cs");
circom("unused_inputs.circom", "--r1cs");

const input = { s: "12", a: ["3", "5", "218882428718392752222464057"], x: "100" };
await snarkjs.wtns.calculate(input, join(work, "mixed_js", "mixed.wasm"), join(work, "mixed.wtns"));
if (!(await snarkjs.wtns.check(join(work, "mixed.r1cs"), join(work, "mixed.wtns")))) throw new Error("unsatisfied");

for (const name of ["mixed.r1cs", "mixed.sym", "mixed.wtns", "custom_gate.r1cs", "unused_inputs.r1cs"]) {
  copyFileSync(join(work, name), join(out, name));
}
writeFileSync(join(out, "mixed.r1cs.json"), json(await snarkjs.r1cs.exportJson(join(work, "mixed.r1cs"))));
writeFileSync(join(out, "mixed.wtns.json"), json(await snarkjs.wtns.exportJson(join(work, "mixed.wtns"))));
process.exit(0);
