// Staples: what a ledger proves, carried beside what it is about (docs/protocol/ledger.md, "Staple").
import { need, same, utf8, wellFormed } from './bytes.js';
import * as cbor from './cbor.js';
import { checkInclusion, checkProof, ENTRY_MAX, leafHash, mapKey, readEntry, readProof } from './merkle.js';
import { readNote, verifyNote } from './note.js';

const STAPLE_MAX = 80 * 1024;
const POLICY_AGE_S = 21600;
const SKEW_S = 300;
const OLDER_S = 3600;

function readLeaf(item) {
    const fits =
        Array.isArray(item) && item.length === 3 && cbor.uint(item[0]) && cbor.bytes()(item[1]) &&
        cbor.list(0, 65, cbor.bytes(32))(item[2]);
    wellFormed(fits && item[1].length <= ENTRY_MAX, 'leaf');
    return { index: item[0], wire: item[1], path: item[2] };
}

export function read(wire) {
    wellFormed(wire.length <= STAPLE_MAX, 'staple too large');
    const any = () => true;
    const staple = cbor.members(cbor.read(wire), {
        v: cbor.oneOf(1),
        map: cbor.list(1, 3, any),
        incl: any,
        map_head: any,
        checkpoint: (x) => typeof x === 'string',
    });
    return {
        note: readNote(utf8(staple.checkpoint)),
        head: readLeaf(staple.map_head),
        incl: staple.incl === null ? null : readLeaf(staple.incl),
        proofs: staple.map.map(readProof),
    };
}

function checkAge(staple, now, maxAge, seen) {
    const { time } = staple.head.entry;
    const size = Number(staple.note.size);
    need(time <= now + SKEW_S, 'EARLY', 'head');
    need(now - time <= maxAge, 'STALE', 'head');
    if (!seen || seen.size === 0) return;
    need(size !== seen.size || same(staple.note.root, seen.root), 'CONFLICT', 'two roots for a size');
    need(!(size > seen.size && time < seen.time), 'CONFLICT', 'time runs backwards');
    need(!(size < seen.size && time > seen.time), 'CONFLICT', 'time runs backwards');
    need(!(size < seen.size && seen.time - time > OLDER_S), 'STALE', 'older than the head seen');
}

function judge(step, action) {
    try {
        return action();
    } catch (fault) {
        fault.step ??= step;
        throw fault;
    }
}

// What the staple says about each of asks ([kind, id]), in their order: a value or null.
// how: { trust, now, maxAge (of the policy, 0: its default), seen, hasEntry, entry (a predicate) }.
export function verify(wire, asks, how) {
    const staple = judge('form', () => {
        const read_ = read(wire);
        wellFormed(read_.proofs.length === asks.length, 'number of proofs');
        wellFormed((read_.incl !== null) === how.hasEntry, 'entry');
        read_.log = how.trust.logs.find((one) => one.origin === read_.note.origin);
        need(read_.log, 'UNKNOWN', 'log');
        return read_;
    });
    const { note, head, incl, log } = staple;
    const size = Number(note.size);
    judge('checkpoint', () => verifyNote(note, log, how.trust, how.now));
    judge('head', () => {
        head.entry = readEntry(head.wire);
        need(head.entry.kind === 'map-head' && head.index === size - 1, 'PROOF', 'map_head is not last');
        need(head.entry.logSize === head.index, 'PROOF', 'log size in the map-head');
        checkInclusion(head.index, size, leafHash(head.wire), head.path, note.root);
    });
    judge('age', () => checkAge(staple, how.now, Math.min(how.maxAge || POLICY_AGE_S, how.trust.maxAge), how.seen));
    judge('inclusion', () => {
        if (!incl) return;
        incl.entry = readEntry(incl.wire);
        checkInclusion(incl.index, size, leafHash(incl.wire), incl.path, note.root);
        how.entry?.(incl.entry, log);
    });
    const values = judge('map', () =>
        asks.map(([kind, id], i) => checkProof(head.entry.commitment, mapKey(kind, id), staple.proofs[i])),
    );
    return { ...staple, values, time: head.entry.time };
}

// That the map's answer for a DID is its newest document.
export function isCurrent(state, value) {
    return value === null ? state.seq === 0 : same(value, state.newest);
}
