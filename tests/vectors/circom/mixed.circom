pragma circom 2.1.0;

// Given public s and outputs p, z, n the prover knows a[3], x such that p = 7 (a0 a1) a2 - s, n = a0 + a1 + a2,
// z = 1 if x = 0 and 0 otherwise, and x - s + 5 has 8 bits. Linear rows, one-term rows, a row whose B is
// empty, coefficients that need all 254 bits, and signals that the compiler simplifies away.
template IsZero() {
    signal input in;
    signal output out;
    signal inverse <-- in != 0 ? 1 / in : 0;
    out <== 1 - in * inverse;
    in * out === 0;
}

template Bits(n) {
    signal input in;
    signal output out[n];
    var sum = 0;
    for (var i = 0; i < n; i++) {
        out[i] <-- (in >> i) & 1;
        out[i] * (out[i] - 1) === 0;
        sum += out[i] * 2 ** i;
    }
    sum === in;
}

template Mixed() {
    signal input s;
    signal input a[3];
    signal input x;
    signal output p;
    signal output z;
    signal output n;
    signal first <== a[0] * a[1];
    p <== 7 * first * a[2] - s;
    n <== a[0] + a[1] + a[2];
    component zero = IsZero();
    zero.in <== x;
    z <== zero.out;
    component bits = Bits(8);
    bits.in <== x - s + 5;
    signal third <== (first / 3 + 1) * (a[2] / 12345 - s);
}

component main {public [s]} = Mixed();
