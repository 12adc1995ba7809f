// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

/// @title What the rollup contract says: structs, events, errors, functions
/// @notice Names, order and types are those of zkrollup/l1 (headers.py, events.py, reverts.py).
interface IRollup {
    /// @notice What the contract keeps the hash of, for each batch; whoever calls hands it over again.
    /// @param number of the batch; the genesis is 0
    /// @param rootBefore state root that it starts from
    /// @param rootAfter state root that it ends with
    /// @param nextIndex the index of the next account to be opened after it
    /// @param requestsConsumed how many requests are done after it, in all
    /// @param commitment C, first public input of its proof
    /// @param challenge z, the second
    /// @param fingerprint y, the third
    /// @param skeleton keccak256 of its data with zeros for the 32 bytes of the root after
    /// @param withdrawals keccak256 of (address 20 bytes, token 4, amount 16) of each payment
    /// @param requestsBefore how many requests were done before it
    struct BatchHeader {
        uint64 number;
        uint256 rootBefore;
        uint256 rootAfter;
        uint64 nextIndex;
        uint64 requestsConsumed;
        uint256 commitment;
        uint256 challenge;
        uint256 fingerprint;
        bytes32 skeleton;
        bytes32 withdrawals;
        uint64 requestsBefore;
    }

    /// @notice What is fixed when the contract is deployed.
    /// @param verifier of batches: public inputs C, z, y
    /// @param exitVerifier of exits: public inputs root, account << 192 | token << 160 | owner, balance
    /// @param operator who commits batches
    /// @param governor who proposes verifiers, and can do nothing else
    /// @param rollupId what users sign for; 0 for the contract's own address
    /// @param genesisRoot state root of the genesis
    /// @param genesisNextIndex the first index that is free there; 1 for an empty state
    /// @param slots transactions in a batch
    /// @param depth levels of the 4-ary state tree
    /// @param feeTokens fee entries in a batch
    /// @param depositCap deposits are below it
    /// @param requestLifetime blocks until a request is due
    /// @param operatorDelay blocks without an executed batch after which anyone may submit one
    /// @param upgradeDelay blocks between proposal and activation of verifiers; above `requestLifetime`. After
    /// as many again the proposal lapses.
    struct Configuration {
        address verifier;
        address exitVerifier;
        address operator;
        address governor;
        address rollupId;
        uint256 genesisRoot;
        uint64 genesisNextIndex;
        uint32 slots;
        uint8 depth;
        uint8 feeTokens;
        uint256 depositCap;
        uint32 requestLifetime;
        uint32 operatorDelay;
        uint32 upgradeDelay;
    }

    // -- events --------------------------------------------------------------------------------------------

    /// @notice A deposit (kind 1, `target` its token) or a forced exit (kind 4, `target` the account) waits
    /// for a batch; it is due once a block after `deadline` is mined. `amount` is what was received.
    event RequestQueued(
        uint64 indexed number,
        uint8 kind,
        uint32 target,
        uint128 amount,
        uint256 ax,
        uint256 ay,
        address indexed owner,
        uint64 deadline
    );
    /// @notice A batch was published and waits for its proof.
    event BatchCommitted(uint64 indexed number, BatchHeader header);
    /// @notice The batch's proof was accepted.
    event BatchProved(uint64 indexed number);
    /// @notice A batch moved the root; requests below `requestsConsumed` are done.
    event BatchExecuted(uint64 indexed number, uint256 rootBefore, uint256 rootAfter, uint64 requestsConsumed);
    /// @notice Batches `first` to `last` were forgotten before they were proved.
    event BatchesReverted(uint64 first, uint64 last);
    /// @notice Executed batch `number` still has to credit withdrawals of this hash; 0: it has credited all.
    event WithdrawalsLeft(uint64 indexed number, bytes32 hash);
    /// @notice `amount` more of `token` can be withdrawn by `owner`.
    event WithdrawalPending(address indexed owner, uint32 indexed token, uint256 amount);
    /// @notice `amount` of `token` was paid to `owner`.
    event WithdrawalPaid(address indexed owner, uint32 indexed token, uint256 amount);
    /// @notice From now on there are exits only. Reason 0: a request is overdue; 1: two roots were proved.
    event RollupFrozen(uint8 reason);
    /// @notice Batch `number` has two valid proofs that end with different roots.
    event SoundnessAlert(uint64 indexed number, uint256 root, uint256 otherRoot);
    /// @notice The balance of an account was credited to its owner, after the freeze.
    event Exited(uint32 indexed account, uint32 token, uint128 amount, address indexed owner);
    /// @notice A deposit that no batch took was credited back to its owner, after the freeze.
    event DepositCancelled(uint64 indexed number, uint32 token, uint128 amount, address indexed owner);
    /// @notice An ERC-20 has a number from now on.
    event TokenRegistered(uint32 indexed token, address indexed contractAddress);
    /// @notice Two verifiers can be activated from block `activeFrom` on, until `upgradeDelay` blocks later.
    event VerifierProposed(address verifier, address exitVerifier, uint64 activeFrom);
    /// @notice Proofs are checked by these from now on.
    event VerifierActivated(address verifier, address exitVerifier);
    /// @notice The governor took its proposal back.
    event ProposalCancelled(address verifier, address exitVerifier);
    /// @notice Another address commits batches from now on.
    event OperatorChanged(address operator);

    /// @notice Which item of the configuration {InvalidConfig} names.
    enum ConfigItem {
        GenesisRoot,
        GenesisNextIndex,
        Slots,
        Depth,
        FeeTokens,
        DepositCap,
        RequestLifetime
    }

    // -- errors (those of the data of batches are in BatchData) --------------------------------------------
    /// @notice An argument of the constructor that no rollup can have.
    error InvalidConfig(ConfigItem item);
    /// @notice A verifier could be replaced before a request made at its proposal is due.
    error UpgradeDelayTooShort(uint64 delay, uint64 requestLifetime);
    /// @notice The zero address where somebody is needed.
    error ZeroAddress();
    /// @notice There is no contract at an address that is to be called.
    error NoCode(address account);
    /// @notice Somebody else may do this, or has to wait.
    error NotOperator(address sender);
    /// @notice Only the governor proposes verifiers, and takes proposals back.
    error NotGovernor(address sender);
    /// @notice There is no verifier to be activated.
    error NothingProposed();
    /// @notice The time to leave is not over yet.
    error TooEarly(uint64 blockNumber, uint64 activeFrom);
    /// @notice Nobody activated the proposal when it was time, and users need not look for it any more.
    error ProposalLapsed(uint64 blockNumber, uint64 activeUntil);
    /// @notice No verifier is replaced while somebody could freeze the contract instead.
    error RequestDue(uint64 number, uint64 deadline);
    /// @notice A token or a receiver called back in the midst of a payment.
    error Reentered();
    /// @notice The contract is frozen: there are exits only.
    error Frozen();
    /// @notice An exit that only a frozen contract gives.
    error NotFrozen();
    /// @notice Nobody has waited too long; deadline 0 where nobody waits at all.
    error NotDue(uint64 number, uint64 deadline);
    /// @notice The token has a number already.
    error TokenKnown(address account, uint32 token);
    /// @notice No token has this number.
    error UnknownToken(uint32 token);
    /// @notice The ETH sent along is not the amount deposited.
    error WrongValue(uint256 found, uint256 expected);
    /// @notice The token, or the receiver of ETH, refuses the payment.
    error TransferFailed(uint32 token, uint256 amount);
    /// @notice Nothing can be withdrawn, or it has been already.
    error NothingPending(address owner, uint32 token);
    /// @notice A key that no account may have.
    error InvalidKey(uint256 ax, uint256 ay);
    /// @notice Nothing was paid in, or nothing arrived.
    error ZeroAmount();
    /// @notice A deposit that reaches the cap.
    error DepositTooLarge(uint256 amount, uint128 cap);
    /// @notice An account index that the tree does not have.
    error OutsideTree(uint32 account, uint64 capacity);
    /// @notice The deposit is in the tree, and not to be cancelled.
    error AlreadyConsumed(uint64 number, uint64 consumed);
    /// @notice The deposit has been given back.
    error AlreadyCancelled(uint64 number);
    /// @notice The header is not that of the batch that stands there.
    error UnknownBatch(uint64 number);
    /// @notice All at once is for when nothing waits.
    error PendingBatches(uint64 committed, uint64 executed);
    /// @notice Batches are proved and executed in their order.
    error NotNext(uint64 found, uint64 expected);
    /// @notice Only what was proved is executed.
    error NotProved(uint64 number, uint64 proved);
    /// @notice What is proved stays, and there is nothing behind the last batch.
    error NothingToRevert(uint64 to, uint64 proved, uint64 committed);
    /// @notice The batch was not executed without its credits, or has been credited to the end.
    error NothingUncredited(uint64 number);
    /// @notice These are not the batch's payments; both are hashes.
    error WrongWithdrawals(bytes32 found, bytes32 expected);
    /// @notice The proof is malformed, or does not hold for this batch or exit.
    error ProofRejected(uint64 number);
    /// @notice Two batches that are not one; both are skeletons.
    error DifferentData(bytes32 found, bytes32 expected);
    /// @notice There is no conflict.
    error SameRoot(uint256 root);
    /// @notice The account's balance has been credited.
    error AlreadyExited(uint32 account);

    // -- users ---------------------------------------------------------------------------------------------

    /// @notice Gives an ERC-20 a number, once; anyone may. Number 0 is ETH.
    /// @param contractAddress the token's contract
    /// @return token its number
    function registerToken(address contractAddress) external returns (uint32 token);

    /// @notice Puts a deposit into the queue: it opens or tops up the account of `owner` with this key and
    /// token. What the contract receives counts (a token may keep a part), not what the sender gives.
    /// @param token its number
    /// @param amount to be taken from the sender: ETH as the value of the call, an ERC-20 by its allowance
    /// @param ax the account's public key on BabyJubJub
    /// @param ay its other coordinate, not 0
    /// @param owner the account's address on this chain, which gets forced exits and what is paid back
    /// @return number of the request
    function deposit(uint32 token, uint256 amount, uint256 ax, uint256 ay, address owner)
        external
        payable
        returns (uint64 number);

    /// @notice Puts a forced exit into the queue: the whole balance of `account` is to be paid to the sender,
    /// should it be the account's owner (a batch does nothing for anybody else).
    /// @dev A request costs its sender two stores (about 50,000 gas) and the operator up to one slot. The
    /// operator keeps up as long as fewer than `slots` requests come for each batch that it executes: in the
    /// `requestLifetime` blocks of a request's life, slots * (batches executed in them). Who wants to force a
    /// freeze by flooding has to pay for more than that.
    /// @param account index of the account
    /// @return number of the request
    function requestExit(uint32 account) external returns (uint64 number);

    /// @notice Pays all that is pending of a token to its owner. Anyone may call; frozen or not.
    /// @param owner who is paid
    /// @param token the token's number
    /// @return amount what was paid
    function withdraw(address owner, uint32 token) external returns (uint256 amount);

    // -- batches -------------------------------------------------------------------------------------------

    /// @notice Publishes a batch, which waits for its proof. The operator only.
    /// @param previous header of the last committed batch
    /// @param data public data of the batch
    /// @param commitment C, which the proof opens
    /// @return header what is to be handed over later
    function commitBatch(BatchHeader calldata previous, bytes calldata data, uint256 commitment)
        external
        returns (BatchHeader memory header);

    /// @notice Accepts the proof of the first batch that has none yet. Anyone may call.
    /// @param header of the batch
    /// @param proof A, B, C: x, y of each, the imaginary parts of B's coordinates first
    function proveBatch(BatchHeader calldata header, uint256[8] calldata proof) external;

    /// @notice Moves the root by the first proved batch that has not been executed, and credits its
    /// withdrawals. Anyone may call.
    /// @param header of the batch
    /// @param withdrawals its payments: address 20 bytes, token 4, amount 16 each
    function executeBatch(BatchHeader calldata header, bytes calldata withdrawals) external;

    /// @notice Moves the root as {executeBatch} does and leaves the withdrawals to {creditWithdrawals}, for a
    /// batch that pays so many that one block cannot credit them (about 27,000 gas each). The operator; or
    /// anyone, when no batch was executed for `operatorDelay` blocks.
    /// @param header of the batch
    function executeWithoutCredits(BatchHeader calldata header) external;

    /// @notice Credits the next withdrawals of a batch that was executed without them. Anyone may call; frozen
    /// or not.
    /// @dev What could be published in a call can be handed over in one: a withdrawal has 40 bytes here and 50
    /// at least in the batch's data. So every executed batch can be credited, a few withdrawals at a time.
    /// @param number of the batch
    /// @param withdrawals all that it has not credited yet, of the hash in `uncredited`
    /// @param count how many of them to credit now, at most
    function creditWithdrawals(uint64 number, bytes calldata withdrawals, uint256 count) external;

    /// @notice Commits, proves and executes a batch at once, when no other one waits. The operator; or anyone,
    /// when no batch was executed for `operatorDelay` blocks.
    /// @param previous header of the last executed batch
    /// @param data public data of the batch
    /// @param commitment C
    /// @param proof as in {proveBatch}
    /// @return header of the batch
    function submitBatch(
        BatchHeader calldata previous,
        bytes calldata data,
        uint256 commitment,
        uint256[8] calldata proof
    ) external returns (BatchHeader memory header);

    /// @notice Forgets the committed batches after `to`, none of which may be proved. The operator; or anyone,
    /// when frozen or when no batch was executed for `operatorDelay` blocks.
    /// @param to the last batch that stays
    function revertBatches(uint64 to) external;

    /// @notice What {commitBatch} would keep of a batch that follows `previous`, whether or not `previous` is
    /// the last committed one, and whoever calls. Reverts where the data is not as it must be.
    /// @param previous header of a batch
    /// @param data public data of the one that follows
    /// @param commitment C
    /// @return header with the public inputs of its proof
    function previewBatch(BatchHeader calldata previous, bytes calldata data, uint256 commitment)
        external
        view
        returns (BatchHeader memory header);

    // -- freeze and exits ----------------------------------------------------------------------------------

    /// @notice Freezes the contract when the oldest request that no executed batch consumed is overdue.
    function freeze() external;

    /// @notice Freezes the contract when one batch can be proved to end with two different roots.
    /// @param before header of the batch before
    /// @param known header of the batch, which is proved or executed
    /// @param data its data with another root after
    /// @param commitment C of that data
    /// @param proof that holds for it
    function reportConflict(
        BatchHeader calldata before,
        BatchHeader calldata known,
        bytes calldata data,
        uint256 commitment,
        uint256[8] calldata proof
    ) external;

    /// @notice Credits the balance of an account to its owner, once, after the freeze. Anyone may call.
    /// @param header of the last executed batch
    /// @param account index of the account
    /// @param token its token
    /// @param balance its balance
    /// @param owner its address
    /// @param proof that the account is so under the root after that batch
    function exit(
        BatchHeader calldata header,
        uint32 account,
        uint32 token,
        uint128 balance,
        address owner,
        uint256[8] calldata proof
    ) external;

    /// @notice Credits a deposit that no executed batch consumed back to its owner, once, after the freeze.
    /// Anyone may call.
    /// @param number of the request
    /// @param token as it was queued
    /// @param amount as it was queued
    /// @param ax as it was queued
    /// @param ay as it was queued
    /// @param owner as it was queued
    function cancelDeposit(uint64 number, uint32 token, uint128 amount, uint256 ax, uint256 ay, address owner)
        external;

    // -- powers --------------------------------------------------------------------------------------------

    /// @notice Proposes verifiers, which anyone may activate after `upgradeDelay` blocks and for as many more;
    /// takes the place of an earlier proposal, whose time does not count. The governor only, who has no other
    /// power than this and {cancelProposal}.
    /// @dev So a proposal that can still be activated was made in the last 2 * upgradeDelay blocks: whoever
    /// looks at the events of those knows all of them. It is long enough to execute or freeze what is overdue.
    /// @param newVerifier of batches
    /// @param newExitVerifier of exits
    function proposeVerifier(address newVerifier, address newExitVerifier) external;

    /// @notice Activates the proposed verifiers, in the blocks from `activeFrom` to `activeFrom + upgradeDelay`,
    /// unless a request is overdue: then everybody can freeze the contract and leave under the old ones.
    function activateVerifier() external;

    /// @notice Takes a proposal back, lapsed or not. The governor only.
    function cancelProposal() external;

    /// @notice Lets another address commit batches. The operator only, who has no other power.
    /// @param newOperator that address
    function transferOperator(address newOperator) external;

    // -- views ---------------------------------------------------------------------------------------------

    /// @notice How many requests were ever made.
    /// @return number of the next one
    function numRequests() external view returns (uint64 number);

    /// @notice What is kept of a request.
    /// @param number of the request
    /// @return hash keccak256(abi.encodePacked(kind, target, amount, ax, ay, owner)); 0 once it is cancelled
    /// @return deadline the last block in which it is not yet due
    function requests(uint64 number) external view returns (bytes32 hash, uint64 deadline);

    /// @notice The last committed batch.
    /// @return number of it
    function committed() external view returns (uint64 number);

    /// @notice The last proved batch.
    /// @return number of it
    function proved() external view returns (uint64 number);

    /// @notice The last executed batch.
    /// @return number of it
    function executed() external view returns (uint64 number);

    /// @notice How many requests are in executed batches.
    /// @return number of them
    function requestsConsumed() external view returns (uint64 number);

    /// @notice The block of the last executed batch, or of the deployment.
    /// @return number of it
    function lastExecutedBlock() external view returns (uint64 number);

    /// @notice Whether there are exits only.
    /// @return yes if so
    function frozen() external view returns (bool yes);
}
