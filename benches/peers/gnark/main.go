// gnark as one of the provers that benches/peers.py runs: asked by line on stdin, answers in JSON.
//
//	gnark-peer KEY.zkey WITNESS.wtns CIRCUIT.r1cs
//
// Requests are those of ../protocol.py. gnark reads no .zkey: it makes its own key for the circuit of the
// .r1cs and keeps it. A proof's time is from the witness in memory, gnark's check of every row included.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/consensys/gnark-crypto/ecc"
	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/witness"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/logger"
)

type peer struct {
	circuit *cs.R1CS
	full    witness.Witness
	pk      groth16.ProvingKey
	vk      groth16.VerifyingKey
	g1      []curve.G1Affine
	g2      []curve.G2Affine
}

// timed runs something and says how long it took.
func timed(work func() error) (float64, error) {
	start := time.Now()
	err := work()
	return time.Since(start).Seconds(), err
}

func (p *peer) read() error {
	if p.circuit != nil {
		return nil
	}
	circuit, public, err := readCircuit(os.Args[3])
	if err != nil {
		return err
	}
	p.circuit = circuit
	p.full, err = readWitness(os.Args[2], public)
	return err
}

func (p *peer) setup() (float64, error) {
	if err := p.read(); err != nil {
		return 0, err
	}
	return timed(func() (err error) {
		p.pk, p.vk, err = groth16.Setup(p.circuit)
		return err
	})
}

// load makes the key and one proof, and checks that it holds.
func (p *peer) load() (float64, error) {
	return timed(func() error {
		if p.pk == nil {
			if _, err := p.setup(); err != nil {
				return err
			}
		}
		proof, err := groth16.Prove(p.circuit, p.pk, p.full)
		if err != nil {
			return err
		}
		public, err := p.full.Public()
		if err != nil {
			return err
		}
		return groth16.Verify(proof, p.vk, public)
	})
}

func (p *peer) prove() (float64, error) {
	if p.pk == nil {
		if _, err := p.load(); err != nil {
			return 0, err
		}
	}
	return timed(func() error {
		_, err := groth16.Prove(p.circuit, p.pk, p.full)
		return err
	})
}

func random(size int) []fr.Element {
	values := make(fr.Vector, size)
	values.MustSetRandom()
	return values
}

func (p *peer) msmG1(size int) (float64, error) {
	_, _, g1, _ := curve.Generators()
	if len(p.g1) < size {
		p.g1 = curve.BatchScalarMultiplicationG1(&g1, random(size))
	}
	scalars := random(size)
	return timed(func() error {
		var sum curve.G1Affine
		_, err := sum.MultiExp(p.g1[:size], scalars, ecc.MultiExpConfig{})
		return err
	})
}

func (p *peer) msmG2(size int) (float64, error) {
	_, _, _, g2 := curve.Generators()
	if len(p.g2) < size {
		p.g2 = curve.BatchScalarMultiplicationG2(&g2, random(size))
	}
	scalars := random(size)
	return timed(func() error {
		var sum curve.G2Affine
		_, err := sum.MultiExp(p.g2[:size], scalars, ecc.MultiExpConfig{})
		return err
	})
}

// transform is one NTT, natural order in, bit-reversed out (gnark's cheapest).
func transform(size int, options ...fft.Option) (float64, error) {
	domain := fft.NewDomain(uint64(size))
	values := random(size)
	return timed(func() error {
		domain.FFT(values, fft.DIF, options...)
		return nil
	})
}

func (p *peer) answer(request string) (float64, error) {
	name, _, _ := strings.Cut(request, " ")
	var log int
	_, _ = fmt.Sscanf(request, name+" %d", &log) // requests without a number leave 0
	size := 1 << log
	switch name {
	case "load":
		return p.load()
	case "prove":
		return p.prove()
	case "setup":
		return p.setup()
	case "msm_g1":
		return p.msmG1(size)
	case "msm_g2":
		return p.msmG2(size)
	case "ntt":
		return transform(size)
	case "coset_ntt":
		return transform(size, fft.OnCoset())
	}
	return 0, fmt.Errorf("has no %s", name)
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: gnark-peer KEY.zkey WITNESS.wtns CIRCUIT.r1cs")
		os.Exit(2)
	}
	logger.Disable()
	var p peer
	out := json.NewEncoder(os.Stdout)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var answer any
		if seconds, err := p.answer(lines.Text()); err != nil {
			answer = map[string]string{"error": err.Error()}
		} else {
			answer = map[string]float64{"seconds": seconds}
		}
		if err := out.Encode(answer); err != nil {
			os.Exit(1)
		}
	}
}
