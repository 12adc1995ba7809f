// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

/// @title Verifier of Groth16 proofs over BN254 (alt_bn128) under one verifying key
/// @notice Written by zkrollup from a key with 3 public inputs.
/// @dev The constants are those of verification_key.json, in decimal as there.
contract Groth16Verifier {
    /// @notice Which key this is: sha256 of alpha, beta, gamma, delta, IC as EIP-196 and EIP-197
    /// encode them.
    bytes32 public constant KEY_DIGEST = 0x230d4d03fea3c05bc5e22a70a3756281e2f9a57542fd6a74720683111d93da0d;

    uint256 private constant Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583; // coordinates
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617; // scalars

    uint256 private constant ALPHA_X = 328774367442049011709266971542796241109795317664227575359438425439380655267;
    uint256 private constant ALPHA_Y = 21509210423410928036739610922916638974815253730943388782955865818726343974397;

    uint256 private constant BETA_X_IM = 3518763768659211261266964782074039001687401439732308360632187302080163326255;
    uint256 private constant BETA_X_RE = 10370749566900237604292154205811617049149847713716621712524272092853885925846;
    uint256 private constant BETA_Y_IM = 3309861220991962854100764056350143269991420359087737797511179588215990299307;
    uint256 private constant BETA_Y_RE = 6368164348255948051366469612248405347769465609937043722770137850305318009183;

    uint256 private constant GAMMA_X_IM = 11559732032986387107991004021392285783925812861821192530917403151452391805634;
    uint256 private constant GAMMA_X_RE = 10857046999023057135944570762232829481370756359578518086990519993285655852781;
    uint256 private constant GAMMA_Y_IM = 4082367875863433681332203403145435568316851327593401208105741076214120093531;
    uint256 private constant GAMMA_Y_RE = 8495653923123431417604973247489272438418190587263600148770280649306958101930;

    uint256 private constant DELTA_X_IM = 2061114435496826966850682651612412358902308729581698537411539672880012107246;
    uint256 private constant DELTA_X_RE = 10398230011383248499406048715833267366940831264040714351788470190827728421648;
    uint256 private constant DELTA_Y_IM = 12276083171812926356663019191222672506714772351743687452978784646771368115357;
    uint256 private constant DELTA_Y_RE = 12455181740734879744731726051605168950729955141052999283377657740608808578824;

    uint256 private constant IC0_X = 16407533218148999352766865758891663724236315039256931837397458176639235296686;
    uint256 private constant IC0_Y = 1609531624399068036858124171900402485165923686094137210239023706245990868232;
    uint256 private constant IC1_X = 17302226067970378844258431245762268038715157807973207779564651778485200747736;
    uint256 private constant IC1_Y = 8163348167705718327799273079609037582215848647608338709496595486491677438424;
    uint256 private constant IC2_X = 6096784573430714924149988271089557227446874386984836441852827729300094923739;
    uint256 private constant IC2_Y = 18623188534428472714192433192797550688601361541501745393182575961186128330136;
    uint256 private constant IC3_X = 4508680730867442796469178260277090283749987501696764547753610595571294212527;
    uint256 private constant IC3_Y = 4932685328101204124732320645303915654833362297372925631074036782012621340302;

    /// @notice Whether a proof holds for these public inputs.
    /// @dev False, never a revert, for: a public input >= r (it would say the same as a smaller one); a
    /// coordinate >= q; a point off its curve, outside its subgroup, or at infinity; a proof that does not
    /// hold; a chain without the precompiled contracts; too little gas. Precompiles burn what they are given
    /// when points are no points: such a call costs all but a 64th of its gas.
    /// A valid proof can be turned into others for the same inputs by anyone: key nothing on its bytes.
    /// @param a A of the proof: x, y
    /// @param b B of the proof: x, y, the imaginary part of each first (EIP-197)
    /// @param c C of the proof: x, y
    /// @param inputs the public inputs, in the circuit's order
    /// @return holds e(a, b) = e(alpha, beta) e(IC0 + sum of inputs[i] IC(i+1), gamma) e(c, delta)
    function verifyProof(
        uint256[2] calldata a,
        uint256[2][2] calldata b,
        uint256[2] calldata c,
        uint256[3] calldata inputs
    ) external view returns (bool holds) {
        /// @solidity memory-safe-assembly
        assembly {
            // Adds s * (x, y) to the point at `sum`; uses the three words behind it.
            function addTerm(sum, x, y, s) -> done {
                let product := add(sum, 0x40)
                mstore(product, x)
                mstore(add(product, 0x20), y)
                mstore(add(product, 0x40), s)
                done := staticcall(gas(), 7, product, 0x60, product, 0x40)
                done := and(done, eq(returndatasize(), 0x40))
                done := and(done, staticcall(gas(), 6, sum, 0x80, sum, 0x40))
                done := and(done, lt(s, R))
            }

            // The pairing's input: (-a, b), (alpha, beta), (sum, gamma), (c, delta), 192 bytes each.
            let p := mload(0x40)
            calldatacopy(p, a, 0x40)
            calldatacopy(add(p, 0x40), b, 0x80)
            calldatacopy(add(p, 0x240), c, 0x40)
            let good := lt(mload(p), Q)
            good := and(good, lt(mload(add(p, 0x20)), Q))
            good := and(good, lt(mload(add(p, 0x40)), Q))
            good := and(good, lt(mload(add(p, 0x60)), Q))
            good := and(good, lt(mload(add(p, 0x80)), Q))
            good := and(good, lt(mload(add(p, 0xa0)), Q))
            good := and(good, lt(mload(add(p, 0x240)), Q))
            good := and(good, lt(mload(add(p, 0x260)), Q))
            // Points at infinity, which the pairing would take.
            good := and(good, gt(or(mload(p), mload(add(p, 0x20))), 0))
            good := and(good, gt(or(mload(add(p, 0x240)), mload(add(p, 0x260))), 0))
            let b0 := or(mload(add(p, 0x40)), mload(add(p, 0x60)))
            good := and(good, gt(or(b0, or(mload(add(p, 0x80)), mload(add(p, 0xa0)))), 0))
            mstore(add(p, 0x20), sub(Q, mload(add(p, 0x20))))

            let sum := add(p, 0x180)
            mstore(sum, IC0_X)
            mstore(add(p, 0x1a0), IC0_Y)
            good := and(good, addTerm(sum, IC1_X, IC1_Y, calldataload(inputs)))
            good := and(good, addTerm(sum, IC2_X, IC2_Y, calldataload(add(inputs, 0x20))))
            good := and(good, addTerm(sum, IC3_X, IC3_Y, calldataload(add(inputs, 0x40))))

            mstore(add(p, 0xc0), ALPHA_X)
            mstore(add(p, 0xe0), ALPHA_Y)
            mstore(add(p, 0x100), BETA_X_IM)
            mstore(add(p, 0x120), BETA_X_RE)
            mstore(add(p, 0x140), BETA_Y_IM)
            mstore(add(p, 0x160), BETA_Y_RE)
            mstore(add(p, 0x1c0), GAMMA_X_IM)
            mstore(add(p, 0x1e0), GAMMA_X_RE)
            mstore(add(p, 0x200), GAMMA_Y_IM)
            mstore(add(p, 0x220), GAMMA_Y_RE)
            mstore(add(p, 0x280), DELTA_X_IM)
            mstore(add(p, 0x2a0), DELTA_X_RE)
            mstore(add(p, 0x2c0), DELTA_Y_IM)
            mstore(add(p, 0x2e0), DELTA_Y_RE)

            if good {
                good := staticcall(gas(), 8, p, 0x300, 0x00, 0x20)
                good := and(good, eq(returndatasize(), 0x20))
                holds := and(good, eq(mload(0x00), 1))
            }
        }
    }
}
