// Compiles circomlib's templates with circom2 at --O1 and --O2 and computes witnesses by circom's WASM.
//
//     node circomlib_audit.mjs FOLDER [NAME ...]
//
// FOLDER holds node_modules with circom2 and circomlib, and receives NAME.LEVEL.{r1cs,sym,K.wtns} and
// manifest.json. Every input is declared public, so that --O2 keeps a wire for each.

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const folder = resolve(process.argv[2]);
const wanted = process.argv.slice(3);
const require = createRequire(join(folder, "package.json"));

// -- numbers for inputs -------------------------------------------------------------------------------------
const R = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
const mod = (x) => ((x % R) + R) % R;
const power = (x, n) => {
  let out = 1n;
  for (x = mod(x); n; n >>= 1n, x = mod(x * x)) if (n & 1n) out = mod(out * x);
  return out;
};
const inverse = (x) => power(x, R - 2n);
const bits = (x, n) => Array.from({ length: n }, (_, i) => (BigInt(x) >> BigInt(i)) & 1n);
const BASE8 = [
  5299619240641551281634865583518297030282874472190772894086521144482721001553n,
  16950150798460657717958625567821834550301663161624707787222815936182638968203n,
];
const [A, D] = [168700n, 168696n];
const add = ([x1, y1], [x2, y2]) => {
  const t = mod(D * mod(x1 * x2 * mod(y1 * y2)));
  return [mod((x1 * y2 + y1 * x2) * inverse(1n + t)), mod((y1 * y2 - A * x1 * x2) * inverse(1n - t))];
};
const times = (p, n) => {
  let out = [0n, 1n];
  for (const bit of n.toString(2)) {
    out = add(out, out);
    if (bit === "1") out = add(out, p);
  }
  return out;
};
const montgomery = ([x, y]) => {
  const u = mod((1n + y) * inverse(1n - y));
  return [u, mod(u * inverse(x))];
};
const [P, Q] = [times(BASE8, 5n), times(BASE8, 12n)];
const [MP, MQ] = [montgomery(P), montgomery(Q)];
const packed = ([x, y]) => [...bits(y, 254), 0n, x > R >> 1n ? 1n : 0n];
const signature = JSON.parse(readFileSync(join(import.meta.dirname, "../tests/vectors/eddsa/signatures.json")))[0];
const eddsa = {
  enabled: 1n, Ax: signature.key[0], Ay: signature.key[1], S: signature.s,
  R8x: signature.r8[0], R8y: signature.r8[1], M: signature.message,
};
// a root of 3 x^2 + 2 A x + 1, the numerator of a tangent's slope
const FLAT = 9957115138343285097796436995883023656331329481934330535312692950016859974868n;
// points of order five off the curve, from circomlib_small_order.py
const small = JSON.parse(readFileSync(join(folder, "small_order.json")));
const zeros = (n) => Array(n).fill(0n);
const big = 123456789012345678901234567890n;

// name, file, call, witnesses' inputs
const TEMPLATES = [
  ["IsZero", "comparators", "IsZero()", [{ in: 7n }, { in: 0n }]],
  ["IsEqual", "comparators", "IsEqual()", [{ in: [3n, 5n] }, { in: [4n, 4n] }]],
  ["ForceEqualIfEnabled", "comparators", "ForceEqualIfEnabled()",
    [{ enabled: 1n, in: [5n, 5n] }, { enabled: 0n, in: [5n, 6n] }]],
  ["LessThan", "comparators", "LessThan(32)", [{ in: [3n, 5n] }, { in: [5n, 5n] }]],
  ["LessEqThan", "comparators", "LessEqThan(32)", [{ in: [3n, 5n] }, { in: [6n, 5n] }]],
  ["GreaterThan", "comparators", "GreaterThan(32)", [{ in: [3n, 5n] }, { in: [6n, 5n] }]],
  ["GreaterEqThan", "comparators", "GreaterEqThan(32)", [{ in: [3n, 5n] }, { in: [5n, 5n] }]],
  ["Num2Bits", "bitify", "Num2Bits(64)", [{ in: 0x123456789abcdefn }]],
  ["Num2Bits 254", "bitify", "Num2Bits(254)", [{ in: 5n }, { in: R - 1n }]],
  ["Num2Bits_strict", "bitify", "Num2Bits_strict()", [{ in: 5n }, { in: R - 1n }]],
  ["Num2BitsNeg", "bitify", "Num2BitsNeg(16)", [{ in: 5n }, { in: 0n }]],
  ["Bits2Num", "bitify", "Bits2Num(64)", [{ in: bits(0x123456789abcdefn, 64) }]],
  ["Bits2Num_strict", "bitify", "Bits2Num_strict()", [{ in: bits(big, 254) }]],
  ["AliasCheck", "aliascheck", "AliasCheck()", [{ in: bits(R - 1n, 254) }]],
  ["CompConstant", "compconstant", "CompConstant(123456789)", [{ in: bits(5n, 254) }, { in: bits(big, 254) }]],
  ["Sign", "sign", "Sign()", [{ in: bits(5n, 254) }, { in: bits(R - 5n, 254) }]],
  ["BinSum", "binsum", "BinSum(16, 2)", [{ in: [bits(40000n, 16), bits(50000n, 16)] }]],
  ["BinSub", "binsub", "BinSub(16)", [{ in: [bits(50000n, 16), bits(40000n, 16)] }]],
  ["XOR", "gates", "XOR()", [{ a: 1n, b: 0n }]],
  ["AND", "gates", "AND()", [{ a: 1n, b: 1n }]],
  ["OR", "gates", "OR()", [{ a: 1n, b: 0n }]],
  ["NAND", "gates", "NAND()", [{ a: 1n, b: 1n }]],
  ["NOR", "gates", "NOR()", [{ a: 0n, b: 0n }]],
  ["MultiAND", "gates", "MultiAND(5)", [{ in: [1n, 1n, 1n, 1n, 1n] }]],
  ["Mux1", "mux1", "Mux1()", [{ c: [5n, 6n], s: 1n }]],
  ["Mux2", "mux2", "Mux2()", [{ c: [5n, 6n, 7n, 8n], s: [1n, 0n] }]],
  ["Mux3", "mux3", "Mux3()", [{ c: [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n], s: [1n, 0n, 1n] }]],
  ["Mux4", "mux4", "Mux4()", [{ c: Array.from({ length: 16 }, (_, i) => BigInt(i * i)), s: [1n, 0n, 1n, 1n] }]],
  ["Switcher", "switcher", "Switcher()", [{ sel: 1n, L: 5n, R: 6n }]],
  ["EscalarProduct", "multiplexer", "EscalarProduct(4)", [{ in1: [1n, 2n, 3n, 4n], in2: [5n, 6n, 7n, 8n] }]],
  ["Decoder", "multiplexer", "Decoder(4)", [{ inp: 2n }, { inp: 9n }]],
  ["Multiplexer", "multiplexer", "Multiplexer(2, 4)",
    [{ inp: [[1n, 2n], [3n, 4n], [5n, 6n], [7n, 8n]], sel: 2n }]],
  ["MiMC7", "mimc", "MiMC7(91)", [{ x_in: 1n, k: 2n }]],
  ["MultiMiMC7", "mimc", "MultiMiMC7(2, 91)", [{ in: [1n, 2n], k: 3n }]],
  ["MiMCFeistel", "mimcsponge", "MiMCFeistel(220)", [{ xL_in: 1n, xR_in: 2n, k: 3n }]],
  ["MiMCSponge", "mimcsponge", "MiMCSponge(2, 220, 1)", [{ ins: [1n, 2n], k: 3n }]],
  ["Poseidon 2", "poseidon", "Poseidon(2)", [{ inputs: [1n, 2n] }]],
  ["Poseidon 4", "poseidon", "Poseidon(4)", [{ inputs: [1n, 2n, 3n, 4n] }]],
  ["BabyAdd", "babyjub", "BabyAdd()", [{ x1: P[0], y1: P[1], x2: Q[0], y2: Q[1] }]],
  ["BabyDbl", "babyjub", "BabyDbl()", [{ x: P[0], y: P[1] }]],
  ["BabyCheck", "babyjub", "BabyCheck()", [{ x: P[0], y: P[1] }]],
  ["BabyPbk", "babyjub", "BabyPbk()", [{ in: big }]],
  ["Edwards2Montgomery", "montgomery", "Edwards2Montgomery()", [{ in: P }]],
  ["Montgomery2Edwards", "montgomery", "Montgomery2Edwards()", [{ in: MP }]],
  ["MontgomeryAdd", "montgomery", "MontgomeryAdd()", [{ in1: MP, in2: MQ }]],
  ["MontgomeryDouble", "montgomery", "MontgomeryDouble()", [{ in: MP }, { in: [FLAT, 0n] }]],
  ["BitElementMulAny", "escalarmulany", "BitElementMulAny()", [{ sel: 1n, dblIn: MP, addIn: MQ }]],
  ["EscalarMulAny", "escalarmulany", "EscalarMulAny(16)",
    [{ e: bits(54321n, 16), p: P }, { e: bits(10n, 16), p: small.point }]],
  ["WindowMulFix", "escalarmulfix", "WindowMulFix()", [{ in: [1n, 0n, 1n], base: MP }]],
  ["EscalarMulFix", "escalarmulfix", `EscalarMulFix(253, [${BASE8}])`, [{ e: bits(big, 253) }]],
  ["EscalarMulWindow", "escalarmul", `EscalarMulWindow([${BASE8}], 0)`, [{ in: P, sel: [1n, 0n, 1n, 0n] }]],
  ["Pedersen", "pedersen", "Pedersen(16)", [{ in: bits(54321n, 16) }]],
  ["Bits2Point_Strict", "pointbits", "Bits2Point_Strict()", [{ in: packed(P) }]],
  ["Point2Bits_Strict", "pointbits", "Point2Bits_Strict()", [{ in: P }]],
  ["EdDSAPoseidonVerifier", "eddsaposeidon", "EdDSAPoseidonVerifier()", [eddsa,
    { ...eddsa, enabled: 0n, Ax: small.key[0], Ay: small.key[1], R8x: BASE8[0], R8y: BASE8[1], M: small.message[0] }]],
  ["SMTVerifier", "smt/smtverifier", "SMTVerifier(5)", [{
    enabled: 0n, root: 0n, siblings: zeros(5), oldKey: 0n, oldValue: 0n, isOld0: 0n, key: 5n, value: 6n, fnc: 0n,
  }]],
  ["SMTProcessor", "smt/smtprocessor", "SMTProcessor(5)", [{
    oldRoot: 0n, siblings: zeros(5), oldKey: 0n, oldValue: 0n, isOld0: 1n, newKey: 5n, newValue: 6n, fnc: [1n, 0n],
  }]],
];

const text = (value) => JSON.parse(JSON.stringify(value, (_, x) => (typeof x === "bigint" ? x.toString() : x)));

mkdirSync(join(folder, "work"), { recursive: true });
const circom = join("node_modules", ".bin", "circom2");
const manifest = [];
for (const [name, file, call, cases] of TEMPLATES) {
  if (wanted.length && !wanted.includes(name)) continue;
  const stem = name.replaceAll(" ", "_");
  writeFileSync(
    join(folder, "work", `${stem}.circom`),
    `pragma circom 2.0.0;\ninclude "${file}.circom";\n` +
      `component main {public [${Object.keys(cases[0]).join(", ")}]} = ${call};\n`,
  );
  for (const level of ["O1", "O2"]) {
    const stored = `${stem}.${level}`;
    const entry = { name, call, level, r1cs: `${stored}.r1cs`, sym: `${stored}.sym`, witnesses: [] };
    manifest.push(entry);
    const last = join(folder, `${stored}.${cases.length - 1}.wtns`);
    if (!existsSync(last)) {
      const options = ["--r1cs", "--sym", "--wasm", `--${level}`, "-o", "work", "-l", "node_modules/circomlib/circuits"];
      execFileSync(circom, [join("work", `${stem}.circom`), ...options], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
      for (const kind of ["r1cs", "sym"]) {
        copyFileSync(join(folder, "work", `${stem}.${kind}`), join(folder, `${stored}.${kind}`));
      }
      const made = join(folder, "work", `${stem}_js`);
      copyFileSync(join(made, "witness_calculator.js"), join(made, "witness_calculator.cjs"));
      const calculator = await require(join(made, "witness_calculator.cjs"))(readFileSync(join(made, `${stem}.wasm`)));
      for (const [k, input] of cases.entries()) {
        writeFileSync(join(folder, `${stored}.${k}.wtns`), await calculator.calculateWTNSBin(text(input), 0));
      }
      rmSync(made, { recursive: true });
    }
    for (const k of cases.keys()) entry.witnesses.push(`${stored}.${k}.wtns`);
  }
  process.stderr.write(`${name}\n`);
}
writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest, null, 1) + "\n");
