//! circom's files as arkworks' matrices. Must not know what is done with them.

use ark_bn254::Fr;
use ark_ff::{BigInt, PrimeField};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, Matrix, Result, Variable,
};
use std::{error::Error, fs};

type Row = Vec<(Fr, usize)>;

/// The rows (A w)(B w) = C w of a .r1cs over circom's wires; `inputs` counts the one and the public wires.
pub struct Circuit {
    pub inputs: usize,
    pub wires: usize,
    pub matrices: Vec<Matrix<Fr>>,
}

/// The contents of a section of one of iden3's binary files.
fn section(path: &str, kind: &[u8], number: u32) -> std::result::Result<Vec<u8>, Box<dyn Error>> {
    let data = fs::read(path)?;
    if data.get(..4) != Some(kind) {
        return Err(format!("{path}: another kind of file").into());
    }
    let mut rest = data.get(12..).ok_or("no header")?;
    while rest.len() >= 12 {
        let length = u64::from_le_bytes(rest[4..12].try_into()?) as usize;
        let body = rest[12..].get(..length).ok_or("a section is cut")?;
        if word(rest, 0) == number as usize {
            return Ok(body.to_vec());
        }
        rest = &rest[12 + length..];
    }
    Err(format!("{path}: no section {number}").into())
}

fn word(data: &[u8], at: usize) -> usize {
    u32::from_le_bytes(data[at..at + 4].try_into().unwrap()) as usize
}

fn element(data: &[u8]) -> std::result::Result<Fr, Box<dyn Error>> {
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().zip(data.chunks_exact(8)) {
        *limb = u64::from_le_bytes(bytes.try_into()?);
    }
    Fr::from_bigint(BigInt::new(limbs)).ok_or_else(|| "a value is not below r".into())
}

impl Circuit {
    pub fn read(path: &str) -> std::result::Result<Self, Box<dyn Error>> {
        let header = section(path, b"r1cs", 1)?;
        if header.len() != 64 {
            return Err(format!("{path}: header of another field").into());
        }
        let (wires, rows) = (word(&header, 36), word(&header, 60));
        let inputs = 1 + word(&header, 40) + word(&header, 44);
        let body = section(path, b"r1cs", 2)?;
        let mut matrices: Vec<Matrix<Fr>> = (0..3).map(|_| Vec::with_capacity(rows)).collect();
        let mut at = 0;
        for _ in 0..rows {
            for matrix in &mut matrices {
                let mut row = Row::with_capacity(word(&body, at));
                at += 4;
                for _ in 0..row.capacity() {
                    row.push((element(&body[at + 4..at + 36])?, word(&body, at)));
                    at += 36;
                }
                matrix.push(row);
            }
        }
        Ok(Self {
            inputs,
            wires,
            matrices,
        })
    }

    pub fn rows(&self) -> usize {
        self.matrices[0].len()
    }
}

/// All values of a .wtns.
pub fn read_witness(path: &str) -> std::result::Result<Vec<Fr>, Box<dyn Error>> {
    section(path, b"wtns", 2)?.chunks_exact(32).map(element).collect()
}

impl ConstraintSynthesizer<Fr> for &Circuit {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<()> {
        for _ in 1..self.inputs {
            let _ = cs.new_input_variable(|| Ok(Fr::from(1)))?;
        }
        for _ in self.inputs..self.wires {
            let _ = cs.new_witness_variable(|| Ok(Fr::from(1)))?;
        }
        let combination = |row: &Row| {
            let variable = |wire: usize| match wire.checked_sub(self.inputs) {
                Some(private) => Variable::witness(private),
                None => Variable::instance(wire),
            };
            LinearCombination(row.iter().map(|&(value, wire)| (value, variable(wire))).collect())
        };
        let [a, b, c] = &self.matrices[..] else {
            unreachable!("three matrices are read")
        };
        for ((a, b), c) in a.iter().zip(b).zip(c) {
            cs.enforce_r1cs_constraint(|| combination(a), || combination(b), || combination(c))?;
        }
        Ok(())
    }
}
