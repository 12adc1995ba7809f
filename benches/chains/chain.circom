pragma circom 2.0.0;

include "circomlib/circuits/poseidon.circom";

// Given public out, the prover knows start and key such that
// out = H(… H(H(start, key), key) …, key), H applied n times, H circomlib's Poseidon of two inputs.
template Chain(n) {
    signal input start;
    signal input key;
    signal output out;

    component hash[n];
    for (var i = 0; i < n; i++) {
        hash[i] = Poseidon(2);
        hash[i].inputs[0] <== i == 0 ? start : hash[i - 1].out;
        hash[i].inputs[1] <== key;
    }
    out <== hash[n - 1].out;
}
