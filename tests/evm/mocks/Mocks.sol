// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

import {IGroth16Verifier} from "IGroth16Verifier.sol";

/// @title A verifier for tests that prove nothing
/// @notice Behaviour 0 accepts everything, 1 nothing, 2 ("stamp") what has keccak256 of the three inputs for
/// the first coordinate of A.
contract MockVerifier is IGroth16Verifier {
    uint8 private immutable behaviour;

    constructor(uint8 behaviour_) {
        behaviour = behaviour_;
    }

    /// @inheritdoc IGroth16Verifier
    function verifyProof(
        uint256[2] calldata a,
        uint256[2][2] calldata,
        uint256[2] calldata,
        uint256[3] calldata inputs
    ) external view returns (bool holds) {
        if (behaviour == 2) return a[0] == uint256(keccak256(abi.encodePacked(inputs[0], inputs[1], inputs[2])));
        return behaviour == 0;
    }
}

/// @title An ERC-20 as they are found
/// @notice Behaviour 0 is plain; 1 burns amount / 100 of every transfer; 2 returns nothing; 3 returns false and
/// moves nothing; 4 reverts; 5 calls whatever it was told to, before it moves anything; 6 tells no balances once
/// it moved something; 7 none until then.
contract MockToken {
    error Refused();

    uint8 private immutable behaviour;
    mapping(address holder => uint256 amount) private balances;
    bool private silent;
    mapping(address holder => mapping(address spender => uint256 amount)) public allowance;
    address private target;
    bytes private message;
    /// @notice What the call that this token was told to make said.
    bytes public answer;

    constructor(uint8 behaviour_) {
        behaviour = behaviour_;
        silent = behaviour_ == 7;
    }

    /// @notice Makes `amount` more for `holder`.
    function mint(address holder, uint256 amount) external {
        balances[holder] += amount;
    }

    /// @notice What is called in the midst of every transfer of behaviour 5.
    function callInTransfers(address target_, bytes calldata message_) external {
        target = target_;
        message = message_;
    }

    function balanceOf(address holder) external view returns (uint256) {
        if (silent) revert Refused();
        return balances[holder];
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _finish(_move(msg.sender, to, amount));
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        if (behaviour != 3 && behaviour != 4) allowance[from][msg.sender] -= amount;
        return _finish(_move(from, to, amount));
    }

    function _move(address from, address to, uint256 amount) private returns (bool) {
        if (behaviour == 3) return false;
        if (behaviour == 4) revert Refused();
        if (behaviour == 5) (, answer) = target.call(message);
        silent = behaviour == 6;
        balances[from] -= amount;
        balances[to] += behaviour == 1 ? amount - amount / 100 : amount;
        return true;
    }

    function _finish(bool moved) private view returns (bool) {
        if (behaviour == 2) {
            assembly {
                return(0, 0)
            }
        }
        return moved;
    }
}

/// @title A receiver that refuses all ETH
contract MockRefuser {}

/// @title A receiver that calls whatever it was told to when it gets ETH
contract MockReenterer {
    address private target;
    bytes private message;
    /// @notice What that call said.
    bytes public answer;

    /// @notice What is called when ETH comes.
    function callInReceipts(address target_, bytes calldata message_) external {
        target = target_;
        message = message_;
    }

    receive() external payable {
        (, answer) = target.call(message);
    }
}
