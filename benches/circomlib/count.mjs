// Writes counts.json: constraints of circomlib's templates, each compiled alone by circom2 with --O1 and --O2.
//
//     cp package.json count.mjs /some/empty/folder && cd /some/empty/folder
//     npm install && node count.mjs /path/to/benches/circomlib [--only TEXT]
//
// With --only, instantiations whose name contains TEXT are compiled and the others kept as they are.
// To count another template, add a line to INSTANCES.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const BASE8 =
  "[5299619240641551281634865583518297030282874472190772894086521144482721001553, " +
  "16950150798460657717958625567821834550301663161624707787222815936182638968203]";

// The call as it stands in circom (BASE8 spelled out), and the file that has the template.
const INSTANCES = [
  ["Num2Bits(8)", "bitify"],
  ["Num2Bits(64)", "bitify"],
  ["Num2Bits(253)", "bitify"],
  ["Num2Bits_strict()", "bitify"],
  ["Num2BitsNeg(64)", "bitify"],
  ["BinSum(32, 2)", "binsum"],
  ["BinSum(32, 5)", "binsum"],
  ["BinSub(32)", "binsub"],
  ["AliasCheck()", "aliascheck"],
  ["CompConstant(2736030358979909402780800718157159386076813972158567259200215660948447373040)", "compconstant"],
  ["Sign()", "sign"],
  ["IsZero()", "comparators"],
  ["IsEqual()", "comparators"],
  ["ForceEqualIfEnabled()", "comparators"],
  ...[8, 16, 32, 64, 128, 252].map((n) => [`LessThan(${n})`, "comparators"]),
  ["LessEqThan(64)", "comparators"],
  ["GreaterThan(64)", "comparators"],
  ["GreaterEqThan(64)", "comparators"],
  ["MultiAND(32)", "gates"],
  ["Mux1()", "mux1"],
  ["Mux2()", "mux2"],
  ["Mux3()", "mux3"],
  ["Mux4()", "mux4"],
  ["Decoder(16)", "multiplexer"],
  ["Multiplexer(1, 8)", "multiplexer"],
  ["Multiplexer(1, 16)", "multiplexer"],
  ["Switcher()", "switcher"],
  ["Xor3(32)", "sha256/xor3"],
  ["Ch_t(32)", "sha256/ch"],
  ["Maj_t(32)", "sha256/maj"],
  ["Sha256compression()", "sha256/sha256compression"],
  ["Sha256(512)", "sha256/sha256"],
  ...[1, 2, 3, 4, 5, 8, 16].map((n) => [`Poseidon(${n})`, "poseidon"]),
  ["MiMC7(91)", "mimc"],
  ["MultiMiMC7(2, 91)", "mimc"],
  ["MultiMiMC7(5, 91)", "mimc"],
  ["MiMCFeistel(220)", "mimcsponge"],
  ["MiMCSponge(1, 220, 1)", "mimcsponge"],
  ["MiMCSponge(2, 220, 1)", "mimcsponge"],
  ["MiMCSponge(5, 220, 1)", "mimcsponge"],
  ...[8, 200, 256, 512].map((n) => [`Pedersen(${n})`, "pedersen"]),
  ["BabyCheck()", "babyjub"],
  ["BabyAdd()", "babyjub"],
  ["BabyDbl()", "babyjub"],
  ["BabyPbk()", "babyjub"],
  ["Edwards2Montgomery()", "montgomery"],
  ["Montgomery2Edwards()", "montgomery"],
  ["MontgomeryAdd()", "montgomery"],
  ["MontgomeryDouble()", "montgomery"],
  ["EscalarMulFix(251, BASE8)", "escalarmulfix"],
  ["EscalarMulFix(253, BASE8)", "escalarmulfix"],
  ["EscalarMulAny(254)", "escalarmulany"],
  ["Point2Bits_Strict()", "pointbits"],
  ["Bits2Point_Strict()", "pointbits"],
  ["EdDSAPoseidonVerifier()", "eddsaposeidon"],
  ["EdDSAMiMCVerifier()", "eddsamimc"],
  ["EdDSAMiMCSpongeVerifier()", "eddsamimcsponge"],
  ["EdDSAVerifier(80)", "eddsa"],
  ...[10, 32].flatMap((n) => [[`SMTVerifier(${n})`, "smt/smtverifier"], [`SMTProcessor(${n})`, "smt/smtprocessor"]]),
];

const here = import.meta.dirname;
const [folder = here, ...words] = process.argv.slice(2);
const only = words[0] === "--only" ? words[1] : "";
const file = join(folder, "counts.json");
// The compiler, which is WebAssembly, sees files below its working folder only.
const work = join(here, "work");
const circuits = join("node_modules", "circomlib", "circuits");
mkdirSync(work, { recursive: true });

// The header section of .r1cs: u32 field size, the prime, six numbers, of which the sixth counts constraints.
const constraints = (path) => {
  const data = readFileSync(path);
  for (let at = 12; at < data.length; ) {
    const kind = data.readUInt32LE(at);
    const start = at + 12;
    if (kind === 1) return data.readUInt32LE(start + 4 + data.readUInt32LE(start) + 4 * 4 + 8);
    at = start + Number(data.readBigUInt64LE(at + 4));
  }
  throw new Error(`${path} has no header`);
};

const versions = JSON.parse(readFileSync(join(here, "package.json"))).dependencies;
const old = existsSync(file) ? JSON.parse(readFileSync(file)).constraints : {};
const counts = {};
for (const [call, source] of INSTANCES) {
  if (!call.includes(only) && old[call]) {
    counts[call] = old[call];
    continue;
  }
  const main = call.replace("BASE8", BASE8);
  writeFileSync(join(work, "main.circom"), `pragma circom 2.0.0;\ninclude "${source}.circom";\ncomponent main = ${main};\n`);
  counts[call] = {};
  for (const level of ["O1", "O2"]) {
    const options = [join("work", "main.circom"), "--r1cs", `--${level}`, "-l", circuits, "-o", "work"];
    execFileSync(join(here, "node_modules", ".bin", "circom2"), options, { cwd: here, stdio: ["ignore", "ignore", "inherit"] });
    counts[call][level] = constraints(join(work, "main.r1cs"));
  }
  console.log(call, counts[call]);
}
writeFileSync(file, JSON.stringify({ versions, constraints: counts }, null, 1) + "\n");
