// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

/// @title The public data of a batch: its bytes, its field elements, and the public inputs of its proof
/// @notice Accepts exactly one byte form of every batch. Must not know who may submit one, nor what follows.
/// @dev The bytes, numbers big-endian:
///
///     header   version 1, chain id 8, rollup id 20, batch number 8, slots 4, next_before 5, next_after 5,
///              root_before 32, root_after 32, and for each fee entry token 4, account 4
///     record   30 bytes: nibble 4 bits, first 32, second 32, fee code 12, amount 128, token 32;
///              of a transfer, a change of key and a transfer to a new account the first 14 bytes only
///              (there the amount is a code of 32 bits);
///              then the address (20) unless it is a transfer or a change of key;
///              then a key (32, 32) of a deposit, a change of key, a transfer to a new account
///
/// The elements d, each below r and present only where written: h0 .. h3, one a fee entry, and for each
/// record e0 (its first 240 bits), address, ax, ay. The public inputs of the proof are the commitment C
/// (which the circuit computes and nobody here checks), z = keccak256(domain, chain id, contract,
/// keccak256(d), C) mod r, and y = the value at z of the polynomial with coefficients d, the first leading.
library BatchData {
    /// @notice What a named field of the data is, in {NonCanonical}.
    enum Field {
        NextAfter,
        RootAfter,
        FeeToken,
        FeeAccount,
        First,
        Second,
        FeeCode,
        Amount,
        Token,
        Address,
        Ax,
        Ay
    }

    /// @notice An item (the header, or a record) of `wanted` bytes begins at `offset`; there are `left`.
    error DataTruncated(uint256 offset, uint256 wanted, uint256 left);
    /// @notice All slots are used up and there are `left` more bytes from `offset` on.
    error DataTooLong(uint256 offset, uint256 left);
    /// @notice The record at `offset` begins with a nibble that is no kind of transaction.
    error UnknownKind(uint256 offset, uint8 nibble);
    /// @notice A field of the header at `offset`, or of the record that begins there, has a value that no
    /// batch may have there, or not this form of it.
    error NonCanonical(Field field, uint256 offset);
    /// @notice The data is of another version.
    error WrongVersion(uint8 found, uint8 expected);
    /// @notice The batch is for another chain.
    error WrongChain(uint64 found, uint64 expected);
    /// @notice The batch is for another rollup.
    error WrongRollup(address found, address expected);
    /// @notice The batch is not the next one.
    error WrongBatchNumber(uint64 found, uint64 expected);
    /// @notice The batch has another number of slots.
    error WrongSlots(uint32 found, uint32 expected);
    /// @notice The batch opens accounts from another index on.
    error WrongNextIndex(uint64 found, uint64 expected);
    /// @notice The batch starts from another root.
    error WrongRoot(uint256 found, uint256 expected);
    /// @notice The batch consumes a request that nobody made.
    error NoSuchRequest(uint64 number);
    /// @notice The record is not the next request of the queue; the hashes of both.
    error RequestMismatch(uint64 number, bytes32 found, bytes32 expected);
    /// @notice A commitment must be below r.
    error NonCanonicalCommitment(uint256 commitment);

    /// @dev What a batch must fit (set by the caller), and what was read of it.
    struct Frame {
        uint256 rollupId;
        uint256 number;
        uint256 slots;
        uint256 indexBits; // an index is below 1 << indexBits
        uint256 feeTokens;
        uint256 nextBefore;
        uint256 rootBefore;
        uint256 requestsConsumed; // before the batch; after reading, after it
        // what was read:
        uint256 transferBits; // of TRANSFER_WORD those that may not vary: kind, indices' bits above the greatest
        uint256 nextAfter;
        uint256 rootAfter;
        bytes32 skeleton; // keccak256 of the data with zeros for root_after
        bytes32 digest; // keccak256 of the elements
        uint256 elements; // where they lie in memory, 32 bytes each
        uint256 elementsEnd;
        uint256 withdrawals; // where they lie in memory: address 20, token 4, amount 16 bytes each
        uint256 withdrawalsEnd;
        // Constants that the compiler would load anew wherever they are used:
        uint256 modulus; // R
        uint256 rules; // RULES
    }

    /// @notice The order of BN254's groups: field elements are below it.
    uint256 internal constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

    /// @notice The version of the data.
    uint256 internal constant VERSION = 2;

    // What is said of a kind of record, a bit each:
    uint256 private constant KNOWN = 1 << 0; // there is such a kind
    uint256 private constant SHORT = 1 << 1; // the amount is a code, the token is not said
    uint256 private constant FIRST = 1 << 2; // an index that is debited, or asked to leave; else 0
    uint256 private constant FIRST_NOT_ZERO = 1 << 3;
    uint256 private constant SECOND = 1 << 4; // an index that is credited; else 0
    uint256 private constant SECOND_NOT_ZERO = 1 << 5;
    uint256 private constant FEE = 1 << 6; // else 0
    uint256 private constant AMOUNT = 1 << 7; // else 0
    uint256 private constant NO_TOKEN = 1 << 8; // 0 although there is room for it
    uint256 private constant ADDRESS = 1 << 9; // follows, not 0
    uint256 private constant KEY = 1 << 10; // follows
    uint256 private constant REQUEST = 1 << 11; // is the queue's next one
    uint256 private constant PAYS = 1 << 12; // the amount to the address, on L1

    uint256 private constant SIGNED = KNOWN | FIRST | FIRST_NOT_ZERO | FEE;
    uint256 private constant DEPOSIT_REFUSED = KNOWN | SECOND | AMOUNT | ADDRESS | KEY | REQUEST | PAYS;
    uint256 private constant DEPOSIT = (DEPOSIT_REFUSED ^ PAYS) | SECOND_NOT_ZERO;
    uint256 private constant TRANSFER = SIGNED | SHORT | SECOND | SECOND_NOT_ZERO | AMOUNT;
    uint256 private constant WITHDRAW = SIGNED | AMOUNT | ADDRESS | PAYS;
    uint256 private constant FORCED_EXIT = KNOWN | FIRST | AMOUNT | ADDRESS | REQUEST | PAYS;
    uint256 private constant FORCED_EXIT_REFUSED = (FORCED_EXIT ^ AMOUNT ^ PAYS) | NO_TOKEN;
    uint256 private constant CHANGE_KEY = SIGNED | SHORT | KEY;
    uint256 private constant TRANSFER_TO_NEW = TRANSFER | ADDRESS | KEY;

    // 16 bits for each nibble that a record can begin with: its kind, and 8 when a request was refused.
    uint256 private constant RULES = (DEPOSIT << (16 * 1)) | (TRANSFER << (16 * 2)) | (WITHDRAW << (16 * 3))
        | (FORCED_EXIT << (16 * 4)) | (CHANGE_KEY << (16 * 5)) | (TRANSFER_TO_NEW << (16 * 6))
        | (DEPOSIT_REFUSED << (16 * 9)) | (FORCED_EXIT_REFUSED << (16 * 12));

    uint256 private constant HEADER_BYTES = 115; // and 8 for each fee entry
    uint256 private constant ROOT_AFTER_OFFSET = 83;
    uint256 private constant RECORD_BYTES = 30;
    uint256 private constant SHORT_RECORD_BYTES = 14;

    // A code is exponent << m | mantissa, m = 27 for amounts and 7 for fees. The one accepted code of a value
    // has the smallest exponent: it is 0, or one less would not do since 10 * mantissa >= 2^m.
    uint256 private constant AMOUNT_MANTISSA = 0x7ffffff;
    uint256 private constant AMOUNT_MANTISSA_LEAST = 13421773; // ceil(2^27 / 10)
    uint256 private constant FEE_MANTISSA = 0x7f;
    uint256 private constant FEE_MANTISSA_LEAST = 13; // ceil(2^7 / 10)

    // A transfer as a number of 112 bits: its fields where they stand in it.
    uint256 private constant TRANSFER_WORD = 0x2000000000000000000000000000;
    uint256 private constant FIRST_WORD = 0x0ffffffff0000000000000000000;
    uint256 private constant SECOND_WORD = 0x000000000ffffffff00000000000;
    uint256 private constant FEE_EXPONENT_WORD = 0x00000000000000000f8000000000;
    uint256 private constant FEE_WORD = 0x0000000000000000007f00000000;
    uint256 private constant FEE_WORD_LEAST = 0x0000000000000000000d00000000;
    uint256 private constant AMOUNT_EXPONENT_WORD = 0x00000000000000000000f8000000;
    uint256 private constant AMOUNT_WORD = 0x0000000000000000000007ffffff;
    uint256 private constant AMOUNT_WORD_LEAST = 0x0000000000000000000000cccccd;

    /// @notice Reads a batch from the left to the right and reverts at the first thing that is not as it must
    /// be: for this chain, after `frame`'s state, canonical, consuming the queue's next requests.
    /// @dev Elements and withdrawals are left in memory, where `frame` says.
    /// @param frame what the batch must fit; gets what was read
    /// @param data the bytes
    /// @param requestHashes {hashRequest} of each request by number, 0 where there is none
    function read(
        Frame memory frame,
        bytes calldata data,
        mapping(uint256 number => bytes32) storage requestHashes
    ) internal view {
        unchecked {
            uint256 headerBytes = HEADER_BYTES + 8 * frame.feeTokens;
            if (data.length < headerBytes) revert DataTruncated(0, headerBytes, data.length);
            bytes32 skeleton;
            uint256 elements;
            assembly ("memory-safe") {
                elements := mload(0x40) // free memory: first a copy of the data, then the elements over it
                calldatacopy(elements, data.offset, data.length)
                mstore(add(elements, ROOT_AFTER_OFFSET), 0)
                skeleton := keccak256(elements, data.length)
            }
            frame.skeleton = skeleton;
            frame.elements = elements;
            // The densest records are of 14 bytes, one element each, so the elements end before this:
            uint256 withdrawals = elements + 32 * (4 + frame.feeTokens + (data.length - headerBytes) / 14);
            frame.withdrawals = withdrawals;
            uint256 excess = type(uint32).max & ~((1 << frame.indexBits) - 1);
            frame.modulus = R;
            frame.rules = RULES;
            frame.transferBits = (0xf << 108) | (excess << 76) | (excess << 44);
            uint256 free = withdrawals + data.length + 192; // 40 bytes for each record of 50, room for one hash
            assembly ("memory-safe") {
                mstore(0x40, free)
            }
            _readHeader(frame, data);
            _readRecords(frame, data, headerBytes, requestHashes);
            bytes32 digest;
            uint256 elementsEnd = frame.elementsEnd;
            assembly ("memory-safe") {
                digest := keccak256(elements, sub(elementsEnd, elements))
            }
            frame.digest = digest;
        }
    }

    /// @notice The challenge z and the fingerprint y of a batch that was read.
    /// @param frame what {read} left
    /// @param commitment C
    /// @return z the challenge
    /// @return y the fingerprint
    function publicInputs(Frame memory frame, uint256 commitment) internal view returns (uint256 z, uint256 y) {
        if (commitment >= R) revert NonCanonicalCommitment(commitment);
        bytes32 hash = keccak256(
            abi.encodePacked("zkrollup/challenge/v1", block.chainid, address(this), frame.digest, commitment)
        );
        z = uint256(hash) % R;
        uint256 r = frame.modulus;
        uint256 element = frame.elements;
        uint256 end = frame.elementsEnd;
        assembly ("memory-safe") {
            // Elements are below r, so that y stays below 2 r < 2^255. Eight a turn.
            for { let last := sub(end, 0xe0) } lt(element, last) { element := add(element, 0x100) } {
                y := add(mulmod(y, z, r), mload(element))
                y := add(mulmod(y, z, r), mload(add(element, 0x20)))
                y := add(mulmod(y, z, r), mload(add(element, 0x40)))
                y := add(mulmod(y, z, r), mload(add(element, 0x60)))
                y := add(mulmod(y, z, r), mload(add(element, 0x80)))
                y := add(mulmod(y, z, r), mload(add(element, 0xa0)))
                y := add(mulmod(y, z, r), mload(add(element, 0xc0)))
                y := add(mulmod(y, z, r), mload(add(element, 0xe0)))
            }
            for {} lt(element, end) { element := add(element, 0x20) } {
                y := add(mulmod(y, z, r), mload(element))
            }
            y := mod(y, r)
        }
    }

    /// @notice The hash of the payments of a batch that was read.
    /// @param frame what {read} left
    /// @return hash keccak256 of (address 20 bytes, token 4, amount 16) of each
    function withdrawalsHash(Frame memory frame) internal pure returns (bytes32 hash) {
        uint256 begin = frame.withdrawals;
        uint256 end = frame.withdrawalsEnd;
        assembly ("memory-safe") {
            hash := keccak256(begin, sub(end, begin))
        }
    }

    /// @notice What stands in the queue for a request.
    /// @param kind 1 for a deposit, 4 for a forced exit
    /// @param target the token of a deposit, the account of an exit
    /// @param amount of a deposit; 0 for an exit
    /// @param ax of a deposit; 0 for an exit
    /// @param ay of a deposit; 0 for an exit
    /// @param owner who gets a deposit, or who asked for an exit
    /// @return the hash
    function hashRequest(uint8 kind, uint32 target, uint128 amount, uint256 ax, uint256 ay, address owner)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(kind, target, amount, ax, ay, owner));
    }

    function _readHeader(Frame memory frame, bytes calldata data) private view {
        unchecked {
            uint256 chainId;
            uint256 rollupId;
            uint256 numbers; // version, batch number, slots, next_before, next_after, each at its place
            uint256 rootBefore;
            uint256 rootAfter;
            assembly ("memory-safe") {
                let offset := data.offset
                numbers := calldataload(offset)
                chainId := and(shr(184, numbers), 0xffffffffffffffff)
                numbers := shr(248, numbers)
                rollupId := shr(96, calldataload(add(offset, 9)))
                // 8 + 4 + 5 + 5 bytes from 29 on: 176 bits, the version above them
                numbers := or(shl(176, numbers), shr(80, calldataload(add(offset, 29))))
                rootBefore := calldataload(add(offset, 51))
                rootAfter := calldataload(add(offset, ROOT_AFTER_OFFSET))
            }
            uint256 nextAfter = numbers & 0xffffffffff;
            uint256 nextBefore = (numbers >> 40) & 0xffffffffff;
            uint256 slots = (numbers >> 80) & 0xffffffff;
            uint256 number = (numbers >> 112) & 0xffffffffffffffff;
            if (numbers >> 176 != VERSION) revert WrongVersion(uint8(numbers >> 176), uint8(VERSION));
            if (chainId != block.chainid) revert WrongChain(uint64(chainId), uint64(block.chainid));
            if (rollupId != frame.rollupId) revert WrongRollup(address(uint160(rollupId)), address(uint160(frame.rollupId)));
            if (number != frame.number) revert WrongBatchNumber(uint64(number), uint64(frame.number));
            if (slots != frame.slots) revert WrongSlots(uint32(slots), uint32(frame.slots));
            if (nextBefore != frame.nextBefore) revert WrongNextIndex(uint64(nextBefore), uint64(frame.nextBefore));
            if (nextAfter > 1 << frame.indexBits) revert NonCanonical(Field.NextAfter, 46);
            if (rootBefore != frame.rootBefore) revert WrongRoot(rootBefore, frame.rootBefore);
            if (rootAfter >= R) revert NonCanonical(Field.RootAfter, ROOT_AFTER_OFFSET);
            frame.nextAfter = nextAfter;
            frame.rootAfter = rootAfter;
            uint256 element = frame.elements;
            assembly ("memory-safe") {
                mstore(element, or(or(shl(240, VERSION), shl(160, chainId)), rollupId))
                mstore(add(element, 0x20), and(numbers, 0xffffffffffffffffffffffffffffffffffffffffffff))
                mstore(add(element, 0x40), rootBefore)
                mstore(add(element, 0x60), rootAfter)
            }
            frame.elementsEnd = element + 0x80;
            _readFeeEntries(frame, data);
        }
    }

    /// @dev An entry is 0, 0 when unused, else a token that no other one names and an account that may be.
    function _readFeeEntries(Frame memory frame, bytes calldata data) private pure {
        unchecked {
            uint256 begin = frame.elementsEnd;
            uint256 element = begin;
            uint256 end = begin + 32 * frame.feeTokens;
            uint256 offset = HEADER_BYTES;
            for (; element < end; element += 32) {
                uint256 entry;
                assembly ("memory-safe") {
                    entry := shr(192, calldataload(add(data.offset, offset)))
                    mstore(element, entry)
                }
                if (entry != 0) {
                    uint256 account = entry & 0xffffffff;
                    if (account == 0 || account >> frame.indexBits != 0) {
                        revert NonCanonical(Field.FeeAccount, offset + 4);
                    }
                    for (uint256 other = begin; other < element; other += 32) {
                        uint256 earlier;
                        assembly ("memory-safe") {
                            earlier := mload(other)
                        }
                        if (earlier != 0 && earlier >> 32 == entry >> 32) {
                            revert NonCanonical(Field.FeeToken, offset);
                        }
                    }
                }
                offset += 8;
            }
            frame.elementsEnd = element;
        }
    }

    /// @dev Reads whole records until the data ends.
    function _readRecords(
        Frame memory frame,
        bytes calldata data,
        uint256 headerBytes,
        mapping(uint256 number => bytes32) storage requestHashes
    ) private view {
        unchecked {
            uint256 end;
            uint256 place; // in the calldata, as `end` is
            assembly ("memory-safe") {
                end := add(data.offset, data.length)
                place := add(data.offset, headerBytes)
            }
            uint256 element = frame.elementsEnd;
            uint256 withdrawal = frame.withdrawals;
            uint256 slotsLeft = frame.slots;
            (place, element, slotsLeft) = _readTransfers(frame, place, end, element, slotsLeft);
            while (place != end) {
                if (slotsLeft == 0) {
                    uint256 offset;
                    assembly ("memory-safe") {
                        offset := sub(place, data.offset)
                    }
                    revert DataTooLong(offset, end - place);
                }
                (place, element, withdrawal) =
                    _readRecord(frame, data, place, element, withdrawal, requestHashes);
                (place, element, slotsLeft) = _readTransfers(frame, place, end, element, slotsLeft - 1);
            }
            frame.elementsEnd = element;
            frame.withdrawalsEnd = withdrawal;
        }
    }

    /// @dev Reads the transfers that stand at `place` as long as they are as they must be. What is not so is
    /// left to {_readRecord}, which says why.
    function _readTransfers(Frame memory frame, uint256 place, uint256 end, uint256 element, uint256 slotsLeft)
        private
        pure
        returns (uint256 nextPlace, uint256 nextElement, uint256 slotsLeftAfter)
    {
        unchecked {
            uint256 fixedBits = frame.transferBits;
            uint256 last = place + SHORT_RECORD_BYTES * slotsLeft; // calldata begins at 4, so last - 14 >= 0
            last = (last < end ? last : end) - SHORT_RECORD_BYTES;
            nextPlace = place;
            nextElement = element;
            assembly ("memory-safe") {
                for {} iszero(gt(nextPlace, last)) {} {
                    let word := shr(144, calldataload(nextPlace))
                    let bad := and(xor(word, TRANSFER_WORD), fixedBits)
                    bad := or(bad, iszero(and(word, FIRST_WORD)))
                    bad := or(bad, iszero(and(word, SECOND_WORD)))
                    // a mantissa that is too small, with an exponent that is not 0
                    bad := or(
                        bad, gt(lt(and(word, FEE_WORD), FEE_WORD_LEAST), iszero(and(word, FEE_EXPONENT_WORD)))
                    )
                    bad := or(
                        bad,
                        gt(lt(and(word, AMOUNT_WORD), AMOUNT_WORD_LEAST), iszero(and(word, AMOUNT_EXPONENT_WORD)))
                    )
                    if bad { break }
                    mstore(nextElement, shl(128, word))
                    nextElement := add(nextElement, 0x20)
                    nextPlace := add(nextPlace, SHORT_RECORD_BYTES)
                }
            }
            slotsLeftAfter = slotsLeft - (nextElement - element) / 32;
        }
    }

    /// @dev Reads any one record.
    function _readRecord(
        Frame memory frame,
        bytes calldata data,
        uint256 place,
        uint256 element,
        uint256 withdrawal,
        mapping(uint256 number => bytes32) storage requestHashes
    ) private view returns (uint256 nextPlace, uint256 nextElement, uint256 nextWithdrawal) {
        unchecked {
            uint256 e0;
            uint256 offset;
            uint256 left;
            assembly ("memory-safe") {
                e0 := shr(16, calldataload(place))
                offset := sub(place, data.offset)
                left := sub(data.length, offset)
            }
            uint256 nibble = e0 >> 236;
            uint256 rules = uint16(frame.rules >> (16 * nibble));
            if (rules & KNOWN == 0) revert UnknownKind(offset, uint8(nibble));
            nextPlace = place + RECORD_BYTES;
            if (rules & SHORT != 0) {
                nextPlace = place + SHORT_RECORD_BYTES;
                e0 = (e0 >> 128) << 128;
            }
            {
                uint256 size = nextPlace - place;
                if (rules & ADDRESS != 0) size += 20;
                if (rules & KEY != 0) size += 64;
                if (left < size) revert DataTruncated(offset, size, left);
            }
            _requireCanonical(e0, rules, frame.indexBits, offset);
            nextElement = element + 32;
            assembly ("memory-safe") {
                mstore(element, e0)
            }
            nextWithdrawal = withdrawal;
            uint256 owner;
            if (rules & ADDRESS != 0) {
                assembly ("memory-safe") {
                    owner := shr(96, calldataload(nextPlace))
                    mstore(nextElement, owner)
                }
                if (owner == 0) revert NonCanonical(Field.Address, offset);
                nextPlace += 20;
                nextElement += 32;
                if (rules & PAYS != 0 && uint128(e0 >> 32) != 0) {
                    assembly ("memory-safe") {
                        mstore(withdrawal, shl(96, owner))
                        mstore(add(withdrawal, 20), shl(224, e0))
                        mstore(add(withdrawal, 24), shl(128, shr(32, e0)))
                    }
                    nextWithdrawal += 40;
                }
            }
            uint256 ax;
            uint256 ay;
            if (rules & KEY != 0) {
                assembly ("memory-safe") {
                    ax := calldataload(nextPlace)
                    ay := calldataload(add(nextPlace, 0x20))
                    mstore(nextElement, ax)
                    mstore(add(nextElement, 0x20), ay)
                }
                uint256 r = frame.modulus;
                if (ax >= r) revert NonCanonical(Field.Ax, offset);
                if (ay >= r) revert NonCanonical(Field.Ay, offset);
                nextPlace += 64;
                nextElement += 64;
            }
            if (rules & REQUEST != 0) {
                uint256 number = frame.requestsConsumed++;
                bytes32 expected = requestHashes[number];
                if (expected == 0) revert NoSuchRequest(uint64(number));
                uint256 target = e0;
                uint256 amount = e0 >> 32;
                if (rules & FIRST != 0) (target, amount) = (e0 >> 204, 0); // an exit
                // as hashRequest does; in memory that is written next
                bytes32 found;
                assembly ("memory-safe") {
                    mstore8(nextWithdrawal, and(nibble, 7))
                    mstore(add(nextWithdrawal, 1), shl(224, target))
                    mstore(add(nextWithdrawal, 5), shl(128, amount))
                    mstore(add(nextWithdrawal, 21), ax)
                    mstore(add(nextWithdrawal, 53), ay)
                    mstore(add(nextWithdrawal, 85), shl(96, owner))
                    found := keccak256(nextWithdrawal, 105)
                }
                if (found != expected) revert RequestMismatch(uint64(number), found, expected);
            }
        }
    }

    /// @dev The first 240 bits of a record in the order of its fields.
    function _requireCanonical(uint256 e0, uint256 rules, uint256 indexBits, uint256 offset) private pure {
        unchecked {
            uint256 first = uint32(e0 >> 204);
            if (rules & FIRST == 0 ? first != 0 : first >> indexBits != 0 || (first == 0 && rules & FIRST_NOT_ZERO != 0))
            {
                revert NonCanonical(Field.First, offset);
            }
            uint256 second = uint32(e0 >> 172);
            if (
                rules & SECOND == 0
                    ? second != 0
                    : second >> indexBits != 0 || (second == 0 && rules & SECOND_NOT_ZERO != 0)
            ) {
                revert NonCanonical(Field.Second, offset);
            }
            uint256 fee = (e0 >> 160) & 0xfff;
            if (rules & FEE == 0 ? fee != 0 : fee > FEE_MANTISSA && fee & FEE_MANTISSA < FEE_MANTISSA_LEAST) {
                revert NonCanonical(Field.FeeCode, offset);
            }
            uint256 amount = uint128(e0 >> 32);
            if (rules & AMOUNT == 0) {
                if (amount != 0) revert NonCanonical(Field.Amount, offset);
            } else if (rules & SHORT != 0) {
                amount >>= 96;
                if (amount > AMOUNT_MANTISSA && amount & AMOUNT_MANTISSA < AMOUNT_MANTISSA_LEAST) {
                    revert NonCanonical(Field.Amount, offset);
                }
            }
            if (rules & NO_TOKEN != 0 && uint32(e0) != 0) revert NonCanonical(Field.Token, offset);
        }
    }
}
