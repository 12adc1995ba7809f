// snarkjs as one of the provers that benches/peers.py runs; see protocol.py for the requests.
//
//     node snarkjs_peer.mjs KEY.zkey WITNESS.wtns CIRCUIT.r1cs THREADS NODE_MODULES
//
// It reads the whole key for each proof, so that is in its time. With one thread it runs its
// single-threaded curve; otherwise it starts as many workers as there are cores.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { join } from "node:path";

const [zkey, wtns, , threads, modules] = process.argv.slice(2);
const snarkjs = createRequire(join(modules, "any.js"))("snarkjs");
const single = threads === "1";

async function prove() {
  const start = performance.now();
  await snarkjs.groth16.prove(zkey, wtns, undefined, { singleThread: single });
  return (performance.now() - start) / 1000;
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = line === "prove" ? { seconds: await prove() } : { error: `has no ${line.split(" ")[0]}` };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
process.exit(0);
