pragma circom 2.0.6;
pragma custom_templates;

template custom Square() {
    signal input in;
    signal output out;
    out <-- in * in;
}

template Main() {
    signal input in;
    signal output out;
    component square = Square();
    square.in <== in;
    out <== square.out;
}

component main = Main();
