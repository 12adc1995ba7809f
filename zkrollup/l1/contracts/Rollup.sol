// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

import {BatchData} from "./BatchData.sol";
import {IGroth16Verifier} from "./IGroth16Verifier.sol";
import {IRollup} from "./IRollup.sol";

/// @title A rollup on this chain: queue of requests, batches under validity proofs, withdrawals, exits
/// @notice Users deposit into a queue, an operator publishes batches whose proofs say that they followed the
/// rules, and what leaves is credited here and pulled by its owner. When a request waits for longer than its
/// lifetime, or two roots are proved for one batch, the contract freezes for good and every user leaves with
/// a small proof under the last root. Nobody has a power over the funds: the operator orders transactions,
/// the governor proposes verifiers that take effect after users had the time to leave, or lapse.
/// @dev The root is not in storage: `batchHash` of the last executed batch binds it. ETH comes in by deposits
/// only. Tokens that take back what they paid, or whose balances shrink, hurt their own holders only.
contract Rollup is IRollup {
    using BatchData for BatchData.Frame;

    /// @dev One word of storage.
    struct Status {
        uint48 committed;
        uint48 proved;
        uint48 executed;
        uint48 requestsConsumed;
        uint40 lastExecutedBlock;
        bool frozen;
        bool locked;
    }

    uint8 private constant DEPOSIT = 1;
    uint8 private constant FORCED_EXIT = 4;
    uint8 private constant OVERDUE = 0;
    uint8 private constant CONFLICT = 1;
    uint256 private constant MAX_SLOTS = 1 << 20;
    uint256 private constant MAX_DEPTH = 16;
    uint256 private constant MAX_FEE_TOKENS = 16;
    uint256 private constant HEADER_BYTES = 11 * 32;
    uint256 private constant WITHDRAWAL_BYTES = 40;
    uint256 private constant EDWARDS_A = 168700; // BabyJubJub: a x^2 + y^2 = 1 + d x^2 y^2
    uint256 private constant EDWARDS_D = 168696;

    /// @notice What users sign for, as an address.
    address public immutable rollupId;
    /// @notice Transactions in a batch.
    uint32 public immutable slots;
    /// @notice Levels of the 4-ary state tree.
    uint8 public immutable depth;
    /// @notice Fee entries in a batch.
    uint8 public immutable feeTokens;
    /// @notice Deposits are below it.
    uint128 public immutable depositCap;
    /// @notice Blocks until a request is due.
    uint32 public immutable requestLifetime;
    /// @notice Blocks without an executed batch after which anyone may submit one.
    uint32 public immutable operatorDelay;
    /// @notice Blocks between proposal and activation of verifiers, and after them those until it lapses.
    uint32 public immutable upgradeDelay;
    /// @notice Who proposes verifiers.
    address public immutable governor;

    Status private status;
    /// @notice Who commits batches.
    address public operator;
    /// @notice Checks proofs of batches.
    address public verifier;
    /// @notice Checks proofs of exits.
    address public exitVerifier;
    /// @notice Checks proofs of batches once it is activated; 0 when nothing is proposed.
    address public proposedVerifier;
    /// @notice The first block in which the proposed verifiers can be activated; the last is `upgradeDelay` later.
    uint64 public activeFrom;
    /// @notice Checks proofs of exits once it is activated.
    address public proposedExitVerifier;
    /// @notice How many tokens have numbers, ETH among them.
    uint32 public numTokens = 1;
    /// @notice The contract of an ERC-20 by its number; 0 for ETH and where there is none.
    mapping(uint32 token => address contractAddress) public tokens;
    /// @notice The number of an ERC-20 by its contract; 0 when it is not registered.
    mapping(address contractAddress => uint32 token) public tokenNumber;
    /// @notice keccak256(abi.encode(header)) of each batch, the genesis at 0.
    mapping(uint64 number => bytes32 hash) public batchHash;
    /// @notice What an owner can withdraw of a token.
    mapping(address owner => mapping(uint32 token => uint256 amount)) public pending;
    /// @notice keccak256 of the withdrawals that an executed batch still has to credit; 0 when it has none.
    mapping(uint64 number => bytes32 hash) public uncredited;
    /// @notice Whether the balance of an account was credited after the freeze.
    mapping(uint32 account => bool yes) public exited;

    mapping(uint256 number => bytes32 hash) private requestHash;
    uint64[] private deadlines; // of each request, four in a word

    /// @notice Starts a rollup from its genesis.
    /// @param c what is fixed from now on
    constructor(Configuration memory c) {
        if (c.genesisRoot >= BatchData.R) revert InvalidConfig(ConfigItem.GenesisRoot);
        if (c.genesisNextIndex == 0 || c.genesisNextIndex > 1 << (2 * uint256(c.depth))) {
            revert InvalidConfig(ConfigItem.GenesisNextIndex);
        }
        if (c.slots == 0 || c.slots > MAX_SLOTS) revert InvalidConfig(ConfigItem.Slots);
        if (c.depth == 0 || c.depth > MAX_DEPTH) revert InvalidConfig(ConfigItem.Depth);
        if (c.feeTokens > MAX_FEE_TOKENS) revert InvalidConfig(ConfigItem.FeeTokens);
        if (c.depositCap == 0 || c.depositCap > type(uint128).max) revert InvalidConfig(ConfigItem.DepositCap);
        if (c.requestLifetime == 0) revert InvalidConfig(ConfigItem.RequestLifetime);
        if (c.operator == address(0) || c.governor == address(0)) revert ZeroAddress();
        _requireCode(c.verifier);
        _requireCode(c.exitVerifier);
        if (c.upgradeDelay <= c.requestLifetime) revert UpgradeDelayTooShort(c.upgradeDelay, c.requestLifetime);
        verifier = c.verifier;
        exitVerifier = c.exitVerifier;
        operator = c.operator;
        governor = c.governor;
        rollupId = c.rollupId == address(0) ? address(this) : c.rollupId;
        slots = c.slots;
        depth = c.depth;
        feeTokens = c.feeTokens;
        depositCap = uint128(c.depositCap);
        requestLifetime = c.requestLifetime;
        operatorDelay = c.operatorDelay;
        upgradeDelay = c.upgradeDelay;
        BatchHeader memory genesis;
        genesis.rootAfter = c.genesisRoot;
        genesis.nextIndex = c.genesisNextIndex;
        batchHash[0] = _hash(genesis);
        status.lastExecutedBlock = uint40(block.number);
    }

    // -- users ---------------------------------------------------------------------------------------------

    /// @inheritdoc IRollup
    function registerToken(address contractAddress) external returns (uint32 token) {
        if (contractAddress == address(0)) revert ZeroAddress();
        _requireCode(contractAddress);
        token = tokenNumber[contractAddress];
        if (token != 0) revert TokenKnown(contractAddress, token);
        token = numTokens++;
        tokens[token] = contractAddress;
        tokenNumber[contractAddress] = token;
        emit TokenRegistered(token, contractAddress);
    }

    /// @inheritdoc IRollup
    function deposit(uint32 token, uint256 amount, uint256 ax, uint256 ay, address owner)
        external
        payable
        returns (uint64 number)
    {
        _requireOpen();
        if (owner == address(0)) revert ZeroAddress();
        if (token >= numTokens) revert UnknownToken(token);
        if (!_isKey(ax, ay)) revert InvalidKey(ax, ay);
        uint256 expected = token == 0 ? amount : 0;
        if (msg.value != expected) revert WrongValue(msg.value, expected);
        if (amount == 0) revert ZeroAmount();
        if (token != 0) {
            amount = _pull(token, amount);
            if (amount == 0) revert ZeroAmount();
        }
        if (amount >= depositCap) revert DepositTooLarge(amount, depositCap);
        number = _enqueue(DEPOSIT, token, uint128(amount), ax, ay, owner);
    }

    /// @inheritdoc IRollup
    function requestExit(uint32 account) external returns (uint64 number) {
        _requireOpen();
        _requireInTree(account);
        number = _enqueue(FORCED_EXIT, account, 0, 0, 0, msg.sender);
    }

    /// @inheritdoc IRollup
    function withdraw(address owner, uint32 token) external returns (uint256 amount) {
        if (status.locked) revert Reentered();
        amount = pending[owner][token];
        if (amount == 0) revert NothingPending(owner, token);
        delete pending[owner][token];
        emit WithdrawalPaid(owner, token, amount);
        status.locked = true;
        bool paid;
        if (token == 0) {
            assembly ("memory-safe") {
                paid := call(gas(), owner, amount, 0, 0, 0, 0) // what it returns is not copied
            }
        } else {
            bytes memory transfer = abi.encodeWithSignature("transfer(address,uint256)", owner, amount);
            paid = _callToken(tokens[token], transfer);
        }
        if (!paid) revert TransferFailed(token, amount);
        status.locked = false;
    }

    // -- batches -------------------------------------------------------------------------------------------

    /// @inheritdoc IRollup
    function commitBatch(BatchHeader calldata previous, bytes calldata data, uint256 commitment)
        external
        returns (BatchHeader memory header)
    {
        Status memory s = _requireOpen();
        if (msg.sender != operator) revert NotOperator(msg.sender);
        _requireStored(previous, s.committed);
        (header,) = _read(previous, data, commitment);
        _store(header);
        status.committed = uint48(header.number);
    }

    /// @inheritdoc IRollup
    function proveBatch(BatchHeader calldata header, uint256[8] calldata proof) external {
        Status memory s = _requireOpen();
        if (header.number != s.proved + 1) revert NotNext(header.number, s.proved + 1);
        _requireStored(header, header.number);
        if (!_holds(verifier, proof, header.commitment, header.challenge, header.fingerprint)) {
            revert ProofRejected(header.number);
        }
        status.proved = uint48(header.number);
        emit BatchProved(header.number);
    }

    /// @inheritdoc IRollup
    function executeBatch(BatchHeader calldata header, bytes calldata withdrawals) external {
        Status memory s = _requireOpen();
        _requireNext(s, header);
        (uint256 place, uint256 end) = _requireWithdrawals(withdrawals, header.withdrawals);
        _execute(s, header);
        _creditAll(place, end);
    }

    /// @inheritdoc IRollup
    function executeWithoutCredits(BatchHeader calldata header) external {
        Status memory s = _requireOpen();
        _requireTurn(s);
        _requireNext(s, header);
        _execute(s, header);
        uncredited[header.number] = header.withdrawals;
        emit WithdrawalsLeft(header.number, header.withdrawals);
    }

    /// @inheritdoc IRollup
    function creditWithdrawals(uint64 number, bytes calldata withdrawals, uint256 count) external {
        if (status.locked) revert Reentered();
        bytes32 expected = uncredited[number];
        if (expected == 0) revert NothingUncredited(number);
        (uint256 place, uint256 end) = _requireWithdrawals(withdrawals, expected);
        bytes32 rest;
        if (count < (end - place) / WITHDRAWAL_BYTES) {
            uint256 all = end;
            end = place + count * WITHDRAWAL_BYTES;
            assembly ("memory-safe") {
                rest := keccak256(end, sub(all, end))
            }
        }
        uncredited[number] = rest;
        emit WithdrawalsLeft(number, rest);
        _creditAll(place, end);
    }

    /// @inheritdoc IRollup
    function submitBatch(
        BatchHeader calldata previous,
        bytes calldata data,
        uint256 commitment,
        uint256[8] calldata proof
    ) external returns (BatchHeader memory header) {
        Status memory s = _requireOpen();
        _requireTurn(s);
        if (s.committed != s.executed) revert PendingBatches(s.committed, s.executed);
        _requireStored(previous, s.committed);
        BatchData.Frame memory frame;
        (header, frame) = _read(previous, data, commitment);
        if (!_holds(verifier, proof, header.commitment, header.challenge, header.fingerprint)) {
            revert ProofRejected(header.number);
        }
        _store(header);
        s.committed = s.proved = s.executed = uint48(header.number);
        s.requestsConsumed = uint48(header.requestsConsumed);
        s.lastExecutedBlock = uint40(block.number);
        status = s;
        emit BatchProved(header.number);
        emit BatchExecuted(header.number, header.rootBefore, header.rootAfter, header.requestsConsumed);
        _creditAll(frame.withdrawals, frame.withdrawalsEnd);
    }

    /// @inheritdoc IRollup
    function revertBatches(uint64 to) external {
        Status memory s = status;
        if (s.locked) revert Reentered();
        if (!s.frozen) _requireTurn(s);
        if (to < s.proved || to >= s.committed) revert NothingToRevert(to, s.proved, s.committed);
        for (uint64 number = s.committed; number > to; --number) delete batchHash[number];
        status.committed = uint48(to);
        emit BatchesReverted(to + 1, s.committed);
    }

    /// @inheritdoc IRollup
    function previewBatch(BatchHeader calldata previous, bytes calldata data, uint256 commitment)
        external
        view
        returns (BatchHeader memory header)
    {
        (header,) = _read(previous, data, commitment);
    }

    // -- freeze and exits ----------------------------------------------------------------------------------

    /// @inheritdoc IRollup
    function freeze() external {
        Status memory s = _requireOpen();
        (uint64 number, uint64 deadline, bool due) = _oldest(s);
        if (!due) revert NotDue(number, deadline);
        status.frozen = true;
        emit RollupFrozen(OVERDUE);
    }

    /// @inheritdoc IRollup
    function reportConflict(
        BatchHeader calldata before,
        BatchHeader calldata known,
        bytes calldata data,
        uint256 commitment,
        uint256[8] calldata proof
    ) external {
        Status memory s = _requireOpen();
        if (known.number == 0 || known.number > s.proved) revert UnknownBatch(known.number);
        _requireStored(known, known.number);
        _requireStored(before, known.number - 1);
        (BatchHeader memory other,) = _read(before, data, commitment);
        if (other.skeleton != known.skeleton) revert DifferentData(other.skeleton, known.skeleton);
        if (other.rootAfter == known.rootAfter) revert SameRoot(known.rootAfter);
        if (!_holds(verifier, proof, other.commitment, other.challenge, other.fingerprint)) {
            revert ProofRejected(known.number);
        }
        status.frozen = true;
        emit SoundnessAlert(known.number, known.rootAfter, other.rootAfter);
        emit RollupFrozen(CONFLICT);
    }

    /// @inheritdoc IRollup
    function exit(
        BatchHeader calldata header,
        uint32 account,
        uint32 token,
        uint128 balance,
        address owner,
        uint256[8] calldata proof
    ) external {
        Status memory s = _requireFrozen();
        _requireStored(header, s.executed);
        _requireInTree(account);
        if (exited[account]) revert AlreadyExited(account);
        uint256 packed = (uint256(account) << 192) | (uint256(token) << 160) | uint160(owner);
        if (!_holds(exitVerifier, proof, header.rootAfter, packed, balance)) revert ProofRejected(header.number);
        exited[account] = true;
        emit Exited(account, token, balance, owner);
        _credit(owner, token, balance);
    }

    /// @inheritdoc IRollup
    function cancelDeposit(uint64 number, uint32 token, uint128 amount, uint256 ax, uint256 ay, address owner)
        external
    {
        Status memory s = _requireFrozen();
        if (number < s.requestsConsumed) revert AlreadyConsumed(number, s.requestsConsumed);
        if (number >= deadlines.length) revert BatchData.NoSuchRequest(number);
        bytes32 expected = requestHash[number];
        if (expected == 0) revert AlreadyCancelled(number);
        bytes32 found = BatchData.hashRequest(DEPOSIT, token, amount, ax, ay, owner);
        if (found != expected) revert BatchData.RequestMismatch(number, found, expected);
        delete requestHash[number];
        emit DepositCancelled(number, token, amount, owner);
        _credit(owner, token, amount);
    }

    // -- powers --------------------------------------------------------------------------------------------

    /// @inheritdoc IRollup
    function proposeVerifier(address newVerifier, address newExitVerifier) external {
        if (msg.sender != governor) revert NotGovernor(msg.sender);
        _requireCode(newVerifier);
        _requireCode(newExitVerifier);
        proposedVerifier = newVerifier;
        proposedExitVerifier = newExitVerifier;
        activeFrom = uint64(block.number + upgradeDelay);
        emit VerifierProposed(newVerifier, newExitVerifier, activeFrom);
    }

    /// @inheritdoc IRollup
    function activateVerifier() external {
        Status memory s = _requireOpen();
        if (proposedVerifier == address(0)) revert NothingProposed();
        if (block.number < activeFrom) revert TooEarly(uint64(block.number), activeFrom);
        uint64 activeUntil = activeFrom + upgradeDelay;
        if (block.number > activeUntil) revert ProposalLapsed(uint64(block.number), activeUntil);
        (uint64 number, uint64 deadline, bool due) = _oldest(s);
        if (due) revert RequestDue(number, deadline);
        verifier = proposedVerifier;
        exitVerifier = proposedExitVerifier;
        _forgetProposal();
        emit VerifierActivated(verifier, exitVerifier);
    }

    /// @inheritdoc IRollup
    function cancelProposal() external {
        if (msg.sender != governor) revert NotGovernor(msg.sender);
        if (proposedVerifier == address(0)) revert NothingProposed();
        emit ProposalCancelled(proposedVerifier, proposedExitVerifier);
        _forgetProposal();
    }

    /// @inheritdoc IRollup
    function transferOperator(address newOperator) external {
        if (msg.sender != operator) revert NotOperator(msg.sender);
        if (newOperator == address(0)) revert ZeroAddress();
        operator = newOperator;
        emit OperatorChanged(newOperator);
    }

    // -- views ---------------------------------------------------------------------------------------------

    /// @inheritdoc IRollup
    function numRequests() external view returns (uint64 number) {
        return uint64(deadlines.length);
    }

    /// @inheritdoc IRollup
    function requests(uint64 number) external view returns (bytes32 hash, uint64 deadline) {
        if (number >= deadlines.length) revert BatchData.NoSuchRequest(number);
        return (requestHash[number], deadlines[number]);
    }

    /// @inheritdoc IRollup
    function committed() external view returns (uint64 number) {
        return status.committed;
    }

    /// @inheritdoc IRollup
    function proved() external view returns (uint64 number) {
        return status.proved;
    }

    /// @inheritdoc IRollup
    function executed() external view returns (uint64 number) {
        return status.executed;
    }

    /// @inheritdoc IRollup
    function requestsConsumed() external view returns (uint64 number) {
        return status.requestsConsumed;
    }

    /// @inheritdoc IRollup
    function lastExecutedBlock() external view returns (uint64 number) {
        return status.lastExecutedBlock;
    }

    /// @inheritdoc IRollup
    function frozen() external view returns (bool yes) {
        return status.frozen;
    }

    // -- what the above have in common ---------------------------------------------------------------------

    function _requireOpen() private view returns (Status memory s) {
        s = status;
        if (s.locked) revert Reentered();
        if (s.frozen) revert Frozen();
    }

    function _requireFrozen() private view returns (Status memory s) {
        s = status;
        if (s.locked) revert Reentered();
        if (!s.frozen) revert NotFrozen();
    }

    function _requireTurn(Status memory s) private view {
        if (msg.sender != operator && block.number <= uint256(s.lastExecutedBlock) + operatorDelay) {
            revert NotOperator(msg.sender);
        }
    }

    /// @dev The header is that of the first batch that is proved and not executed.
    function _requireNext(Status memory s, BatchHeader calldata header) private view {
        if (header.number != s.executed + 1) revert NotNext(header.number, s.executed + 1);
        if (header.number > s.proved) revert NotProved(header.number, s.proved);
        _requireStored(header, header.number);
    }

    /// @dev Copies withdrawals of this hash to memory, between the places returned.
    function _requireWithdrawals(bytes calldata withdrawals, bytes32 expected)
        private
        pure
        returns (uint256 place, uint256 end)
    {
        bytes memory copied = withdrawals;
        bytes32 found = keccak256(copied);
        if (found != expected) revert WrongWithdrawals(found, expected);
        assembly ("memory-safe") {
            place := add(copied, 0x20)
        }
        end = place + copied.length;
    }

    function _requireInTree(uint32 account) private view {
        uint256 capacity = 1 << (2 * uint256(depth));
        if (account >= capacity) revert OutsideTree(account, uint64(capacity));
    }

    function _requireCode(address contractAddress) private view {
        if (contractAddress.code.length == 0) revert NoCode(contractAddress);
    }

    function _forgetProposal() private {
        delete proposedVerifier;
        delete proposedExitVerifier;
        delete activeFrom;
    }

    /// @dev The header is that of batch `number`. Its 11 words are hashed as they stand in the calldata, those
    /// too large for their type included, so that members read later are in range.
    function _requireStored(BatchHeader calldata header, uint64 number) private view {
        bytes32 hash;
        assembly ("memory-safe") {
            let p := mload(0x40)
            calldatacopy(p, header, HEADER_BYTES)
            hash := keccak256(p, HEADER_BYTES)
        }
        if (batchHash[number] != hash) revert UnknownBatch(header.number);
    }

    function _hash(BatchHeader memory header) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := keccak256(header, HEADER_BYTES) // a word for each member, as abi.encode writes it
        }
    }

    function _store(BatchHeader memory header) private {
        batchHash[header.number] = _hash(header);
        emit BatchCommitted(header.number, header);
    }

    function _read(BatchHeader calldata previous, bytes calldata data, uint256 commitment)
        private
        view
        returns (BatchHeader memory header, BatchData.Frame memory frame)
    {
        frame.rollupId = uint160(rollupId);
        frame.number = uint256(previous.number) + 1;
        frame.slots = slots;
        frame.indexBits = 2 * uint256(depth);
        frame.feeTokens = feeTokens;
        frame.nextBefore = previous.nextIndex;
        frame.rootBefore = previous.rootAfter;
        frame.requestsConsumed = previous.requestsConsumed;
        frame.read(data, requestHash);
        (uint256 challenge, uint256 fingerprint) = frame.publicInputs(commitment);
        header.number = uint64(frame.number);
        header.rootBefore = frame.rootBefore;
        header.rootAfter = frame.rootAfter;
        header.nextIndex = uint64(frame.nextAfter);
        header.requestsConsumed = uint64(frame.requestsConsumed);
        header.commitment = commitment;
        header.challenge = challenge;
        header.fingerprint = fingerprint;
        header.skeleton = frame.skeleton;
        header.withdrawals = frame.withdrawalsHash();
        header.requestsBefore = previous.requestsConsumed;
    }

    function _oldest(Status memory s) private view returns (uint64 number, uint64 deadline, bool due) {
        number = s.requestsConsumed;
        if (number < deadlines.length) {
            deadline = deadlines[number];
            due = deadline < block.number;
        }
    }

    function _enqueue(uint8 kind, uint32 target, uint128 amount, uint256 ax, uint256 ay, address owner)
        private
        returns (uint64 number)
    {
        number = uint64(deadlines.length);
        uint64 deadline = uint64(block.number + requestLifetime);
        deadlines.push(deadline);
        requestHash[number] = BatchData.hashRequest(kind, target, amount, ax, ay, owner);
        emit RequestQueued(number, kind, target, amount, ax, ay, owner, deadline);
    }

    function _execute(Status memory s, BatchHeader calldata header) private {
        s.executed = uint48(header.number);
        s.requestsConsumed = uint48(header.requestsConsumed);
        s.lastExecutedBlock = uint40(block.number);
        status = s;
        emit BatchExecuted(header.number, header.rootBefore, header.rootAfter, header.requestsConsumed);
    }

    /// @dev `place` and `end` are places in memory; whole withdrawals lie between them.
    function _creditAll(uint256 place, uint256 end) private {
        for (; place < end; place += WITHDRAWAL_BYTES) {
            uint256 word;
            uint256 amount;
            assembly ("memory-safe") {
                word := mload(place)
                amount := shr(128, mload(add(place, 24)))
            }
            _credit(address(uint160(word >> 96)), uint32(word >> 64), amount);
        }
    }

    function _credit(address owner, uint32 token, uint256 amount) private {
        if (amount == 0) return;
        pending[owner][token] += amount;
        emit WithdrawalPending(owner, token, amount);
    }

    /// @dev Takes an ERC-20 from the sender; returns by how much the balance here grew.
    function _pull(uint32 token, uint256 amount) private returns (uint256 received) {
        address erc20 = tokens[token];
        status.locked = true;
        (bool answered, uint256 before) = _balance(erc20);
        if (!answered) revert TransferFailed(token, amount);
        bytes memory transfer =
            abi.encodeWithSignature("transferFrom(address,address,uint256)", msg.sender, address(this), amount);
        if (!_callToken(erc20, transfer)) revert TransferFailed(token, amount);
        uint256 afterwards;
        (answered, afterwards) = _balance(erc20);
        if (!answered) revert TransferFailed(token, amount);
        received = afterwards > before ? afterwards - before : 0;
        status.locked = false;
    }

    function _balance(address erc20) private view returns (bool answered, uint256 held) {
        bytes memory question = abi.encodeWithSignature("balanceOf(address)", address(this));
        assembly ("memory-safe") {
            answered := staticcall(gas(), erc20, add(question, 0x20), mload(question), 0, 0x20)
            answered := and(answered, gt(returndatasize(), 0x1f))
            held := mload(0)
        }
    }

    /// @dev Whether a call of a token succeeded and returned nothing or true. What it returns is not copied.
    function _callToken(address erc20, bytes memory data) private returns (bool done) {
        assembly ("memory-safe") {
            done := call(gas(), erc20, 0, add(data, 0x20), mload(data), 0, 0x20)
            let answer := and(gt(returndatasize(), 0x1f), eq(mload(0), 1))
            let silent := and(iszero(returndatasize()), gt(extcodesize(erc20), 0))
            done := and(done, or(answer, silent))
        }
    }

    /// @dev Whether a verifier says that a proof holds; false too if it says nothing.
    function _holds(address v, uint256[8] calldata proof, uint256 input0, uint256 input1, uint256 input2)
        private
        view
        returns (bool holds)
    {
        bytes4 selector = IGroth16Verifier.verifyProof.selector;
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, selector)
            calldatacopy(add(p, 4), proof, 0x100)
            mstore(add(p, 0x104), input0)
            mstore(add(p, 0x124), input1)
            mstore(add(p, 0x144), input2)
            holds := staticcall(gas(), v, p, 0x164, 0, 0x20)
            holds := and(holds, and(gt(returndatasize(), 0x1f), eq(mload(0), 1)))
        }
    }

    /// @dev On BabyJubJub, canonical, and y not 0 (an account with y = 0 is an empty leaf).
    function _isKey(uint256 ax, uint256 ay) private pure returns (bool) {
        uint256 r = BatchData.R;
        if (ax >= r || ay >= r || ay == 0) return false;
        uint256 x2 = mulmod(ax, ax, r);
        uint256 y2 = mulmod(ay, ay, r);
        return addmod(mulmod(EDWARDS_A, x2, r), y2, r) == addmod(1, mulmod(EDWARDS_D, mulmod(x2, y2, r), r), r);
    }
}
