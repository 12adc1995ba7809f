pragma circom 2.0.0;

// Given public out, weight and start, the prover knows x and k such that out = f^4(start + x) for
// f(v) = v^5 + 7 v + k, k has 8 bits, and weight = (number of ones in k) (k - 3).
template Step() {
    signal input v;
    signal input k;
    signal output after;
    signal square <== v * v;
    signal fourth <== square * square;
    after <== fourth * v + 7 * v + k;
}

template Chain(n) {
    signal input start;
    signal input x;
    signal input k;
    signal output out;
    signal output weight;

    component steps[n];
    for (var i = 0; i < n; i++) {
        steps[i] = Step();
        steps[i].v <== i == 0 ? start + x : steps[i - 1].after;
        steps[i].k <== k;
    }
    out <== steps[n - 1].after;

    signal bits[8];
    var sum = 0;
    var ones = 0;
    for (var i = 0; i < 8; i++) {
        bits[i] <-- (k >> i) & 1;
        bits[i] * (bits[i] - 1) === 0;
        sum += bits[i] * (1 << i);
        ones += bits[i];
    }
    sum === k;
    weight <== ones * (k - 3);
}

component main {public [start]} = Chain(4);
