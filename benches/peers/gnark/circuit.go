package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"os"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
)

// section finds a section of one of iden3's binary files.
func section(path, kind string, number uint32) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(data) < 12 || string(data[:4]) != kind {
		return nil, fmt.Errorf("%s: no %s file", path, kind)
	}
	for rest := data[12:]; len(rest) >= 12; {
		length := binary.LittleEndian.Uint64(rest[4:])
		if length > uint64(len(rest)-12) {
			break
		}
		if binary.LittleEndian.Uint32(rest) == number {
			return rest[12 : 12+length], nil
		}
		rest = rest[12+length:]
	}
	return nil, fmt.Errorf("%s: no section %d", path, number)
}

// element reads 32 little-endian bytes.
func element(data []byte) (e fr.Element, err error) {
	e, err = fr.LittleEndian.Element((*[32]byte)(data))
	return e, err
}

// readCircuit turns a .r1cs into gnark's constraint system: the same rows over the same wires. circom's
// wires are given, so each is an input here (the public ones public) and nothing is left to solve: gnark
// evaluates each row and checks it.
func readCircuit(path string) (*cs.R1CS, int, error) {
	header, err := section(path, "r1cs", 1)
	if err != nil {
		return nil, 0, err
	}
	if len(header) != 64 || binary.LittleEndian.Uint32(header) != 32 {
		return nil, 0, errors.New(path + ": header of another field")
	}
	field := func(offset int) int { return int(binary.LittleEndian.Uint32(header[offset:])) }
	wires, public, rows := field(36), field(40)+field(44), field(60)
	system := cs.NewR1CS(rows)
	system.AddPublicVariable("one")
	for wire := 1; wire < wires; wire++ {
		if wire <= public {
			system.AddPublicVariable("")
		} else {
			system.AddSecretVariable("")
		}
	}
	blueprint := system.AddBlueprint(&constraint.BlueprintGenericR1C{})
	body, err := section(path, "r1cs", 2)
	if err != nil {
		return nil, 0, err
	}
	known := map[[32]byte]uint32{}
	expression := func() constraint.LinearExpression {
		count := binary.LittleEndian.Uint32(body)
		body = body[4:]
		terms := make(constraint.LinearExpression, count)
		for i := range terms {
			wire, key := binary.LittleEndian.Uint32(body), [32]byte(body[4:36])
			body = body[36:]
			id, seen := known[key]
			if !seen {
				var value fr.Element
				if value, err = element(key[:]); err != nil {
					return nil
				}
				id = system.AddCoeff(system.FromInterface(value.BigInt(new(big.Int))))
				known[key] = id
			}
			terms[i] = constraint.Term{CID: id, VID: wire}
		}
		return terms
	}
	for range rows {
		row := constraint.R1C{L: expression(), R: expression(), O: expression()}
		if err != nil {
			return nil, 0, err
		}
		system.AddR1C(row, blueprint)
	}
	return system, public, nil
}

// readWitness reads a .wtns as gnark's witness.
func readWitness(path string, public int) (witness.Witness, error) {
	body, err := section(path, "wtns", 2)
	if err != nil {
		return nil, err
	}
	w, err := witness.New(ecc.BN254.ScalarField())
	if err != nil {
		return nil, err
	}
	wires := len(body) / 32
	values := make(chan any)
	go func() {
		defer close(values)
		for i := 1; i < wires; i++ {
			e, wrong := element(body[32*i : 32*i+32])
			if wrong != nil {
				err = wrong
			}
			values <- e
		}
	}()
	if wrong := w.Fill(public, wires-1-public, values); wrong != nil {
		return nil, wrong
	}
	return w, err
}
