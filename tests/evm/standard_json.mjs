// Feeds the standard JSON on standard input to solc; prints its output with the compiler's version added.
import { readFileSync } from "node:fs";
import solc from "solc";

const made = JSON.parse(solc.compile(readFileSync(0, "utf8")));
console.log(JSON.stringify({ ...made, version: solc.version() }));
