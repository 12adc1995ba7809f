//! arkworks as one of the provers that benches/peers.py runs: asked by line on stdin, answers in JSON.
//!
//! Usage: arkworks-peer KEY.zkey WITNESS.wtns CIRCUIT.r1cs
//! Requests are those of ../protocol.py. The key is arkworks' own for the rows of the .r1cs, made when first
//! needed and kept; a proof's time is from the full assignment in memory, and nothing checks the rows.

mod circuit;

use ark_bn254::{Bn254, Fr, G1Projective, G2Projective};
use ark_ec::{CurveGroup, ScalarMul, VariableBaseMSM};
use ark_ff::{FftField, UniformRand};
use ark_groth16::{prepare_verifying_key, Groth16, ProvingKey};
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use ark_std::rand::{rngs::StdRng, SeedableRng};
use circuit::{read_witness, Circuit};
use std::{
    error::Error,
    io::{stdin, stdout, Write},
    time::Instant,
};

type Answer = Result<f64, Box<dyn Error>>;

struct Peer {
    files: Vec<String>,
    random: StdRng,
    circuit: Option<(Circuit, Vec<Fr>)>,
    key: Option<ProvingKey<Bn254>>,
}

impl Peer {
    fn setup(&mut self) -> Answer {
        if self.circuit.is_none() {
            self.circuit = Some((Circuit::read(&self.files[2])?, read_witness(&self.files[1])?));
        }
        let (circuit, _) = self.circuit.as_ref().unwrap();
        let start = Instant::now();
        let key = Groth16::<Bn254>::generate_random_parameters_with_reduction(circuit, &mut self.random)?;
        let taken = start.elapsed().as_secs_f64();
        self.key = Some(key);
        Ok(taken)
    }

    /// Makes the key and a proof, and checks that it holds.
    fn load(&mut self) -> Answer {
        let start = Instant::now();
        self.prove()?;
        Ok(start.elapsed().as_secs_f64())
    }

    fn prove(&mut self) -> Answer {
        let fresh = self.key.is_none();
        if fresh {
            self.setup()?;
        }
        let (circuit, witness) = self.circuit.as_ref().unwrap();
        let key = self.key.as_ref().unwrap();
        let (r, s) = (Fr::rand(&mut self.random), Fr::rand(&mut self.random));
        let start = Instant::now();
        let proof = Groth16::<Bn254>::create_proof_with_reduction_and_matrices(
            key,
            r,
            s,
            &circuit.matrices,
            circuit.inputs,
            circuit.rows(),
            witness,
        )?;
        let taken = start.elapsed().as_secs_f64();
        let public = &witness[1..circuit.inputs];
        if fresh && !Groth16::<Bn254>::verify_proof(&prepare_verifying_key(&key.vk), &proof, public)? {
            return Err("its proof does not hold".into());
        }
        Ok(taken)
    }

    fn scalars(&mut self, size: usize) -> Vec<Fr> {
        (0..size).map(|_| Fr::rand(&mut self.random)).collect()
    }

    fn msm<G: VariableBaseMSM<ScalarField = Fr> + CurveGroup + ScalarMul>(&mut self, size: usize) -> Answer {
        let bases = G::generator().batch_mul(&self.scalars(size));
        let bases: Vec<<G as ScalarMul>::MulBase> = bases;
        let scalars = self.scalars(size);
        let start = Instant::now();
        G::msm(&bases, &scalars).map_err(|_| "bases and scalars differ in number")?;
        Ok(start.elapsed().as_secs_f64())
    }

    fn transform(&mut self, size: usize, offset: Fr) -> Answer {
        let domain = GeneralEvaluationDomain::<Fr>::new(size).ok_or("no such domain")?;
        let domain = domain.get_coset(offset).ok_or("no such coset")?;
        let mut values = self.scalars(size);
        let start = Instant::now();
        domain.fft_in_place(&mut values);
        Ok(start.elapsed().as_secs_f64())
    }

    fn answer(&mut self, request: &str) -> Answer {
        let (name, number) = request.split_once(' ').unwrap_or((request, "0"));
        let size = 1usize << number.parse::<u32>()?;
        match name {
            "load" => self.load(),
            "prove" => self.prove(),
            "setup" => self.setup(),
            "msm_g1" => self.msm::<G1Projective>(size),
            "msm_g2" => self.msm::<G2Projective>(size),
            "ntt" => self.transform(size, Fr::from(1)),
            "coset_ntt" => self.transform(size, Fr::GENERATOR),
            _ => Err(format!("has no {name}").into()),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.len() != 3 {
        return Err("usage: arkworks-peer KEY.zkey WITNESS.wtns CIRCUIT.r1cs".into());
    }
    let mut peer = Peer {
        files,
        random: StdRng::seed_from_u64(1),
        circuit: None,
        key: None,
    };
    for line in stdin().lines() {
        match peer.answer(line?.trim()) {
            Ok(seconds) => println!("{{\"seconds\": {seconds}}}"),
            Err(error) => println!("{{\"error\": {:?}}}", error.to_string()),
        }
        stdout().flush()?;
    }
    Ok(())
}
