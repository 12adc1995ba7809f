// Compiles the Solidity source on standard input; prints JSON: version, contracts' bytecode and selectors.
import { readFileSync } from "node:fs";
import solc from "solc";

const sources = { "contract.sol": { content: readFileSync(0, "utf8") } };
const wanted = ["evm.bytecode.object", "evm.deployedBytecode.object", "evm.methodIdentifiers"];
const settings = { optimizer: { enabled: true, runs: 1000000 }, evmVersion: "paris", outputSelection: { "*": { "*": wanted } } };
const made = JSON.parse(solc.compile(JSON.stringify({ language: "Solidity", sources, settings })));
for (const error of made.errors ?? []) console.error(error.formattedMessage);
if ((made.errors ?? []).length) process.exit(1); // warnings too
const contracts = Object.entries(made.contracts["contract.sol"]).map(([name, { evm }]) => [name, {
  creation: evm.bytecode.object, runtime: evm.deployedBytecode.object, selectors: evm.methodIdentifiers }]);
console.log(JSON.stringify({ version: solc.version(), contracts: Object.fromEntries(contracts) }));
