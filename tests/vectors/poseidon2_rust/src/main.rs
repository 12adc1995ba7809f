// Writes Poseidon2's permutation on a few inputs for t = 2, 3, 4, 8 as JSON, with the crate taceo-poseidon2.
//
//     cp -r poseidon2_rust /some/empty/folder && cd /some/empty/folder/poseidon2_rust
//     cargo run > /path/to/tests/vectors/poseidon2/permutation.json

use ark_bn254::Fr;
use ark_ff::{Field, PrimeField};
use taceo_poseidon2::bn254::{t2, t3, t4, t8};

fn list(values: &[Fr]) -> String {
    let quoted: Vec<String> = values.iter().map(|x| format!("\"{}\"", x.into_bigint())).collect();
    format!("[{}]", quoted.join(", "))
}

fn cases<const T: usize>(permute: impl Fn(&[Fr; T]) -> [Fr; T], out: &mut Vec<String>) {
    let inputs: [[Fr; T]; 4] = [
        [Fr::from(0u64); T],
        std::array::from_fn(|i| Fr::from(i as u64)),
        [-Fr::from(1u64); T],
        std::array::from_fn(|i| Fr::from(7u64).pow([100 + i as u64])),
    ];
    for input in inputs {
        out.push(format!(" {{\"input\": {},\n  \"output\": {}}}", list(&input), list(&permute(&input))));
    }
}

fn main() {
    let mut out = Vec::new();
    cases::<2>(|x| t2::permutation(x), &mut out);
    cases::<3>(|x| t3::permutation(x), &mut out);
    cases::<4>(|x| t4::permutation(x), &mut out);
    cases::<8>(|x| t8::permutation(x), &mut out);
    println!("[\n{}\n]", out.join(",\n"));
}
