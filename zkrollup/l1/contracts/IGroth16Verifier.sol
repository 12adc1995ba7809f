// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

/// @title A verifier of Groth16 proofs with three public inputs
/// @notice What `zkrollup` and snarkjs export: one contract for one verifying key.
interface IGroth16Verifier {
    /// @notice Whether a proof holds for these public inputs.
    /// @param a A of the proof: x, y
    /// @param b B of the proof: x, y, the imaginary part of each first (EIP-197)
    /// @param c C of the proof: x, y
    /// @param inputs the public inputs; one at or above r makes the answer false
    /// @return holds the answer; also false for what is no point
    function verifyProof(
        uint256[2] calldata a,
        uint256[2][2] calldata b,
        uint256[2] calldata c,
        uint256[3] calldata inputs
    ) external view returns (bool holds);
}
