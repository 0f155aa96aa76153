// Checkpoints, verifier keys and the trust file (docs/protocol/ledger.md, "Checkpoint"; trust.md).
import { ascii, base64, concat, H, hex, latin1, need, u, unbase64, utf8, wellFormed } from './bytes.js';
import { logId } from './cert.js';
import { usableKey, verifyEd25519, verifyMl44, verifyMl87 } from './hybrid.js';
import { isDid } from './identity.js';
import { isName } from './url.js';

const LINES_MAX = 32;
const NOTE_MAX = 64 * 1024;
const SKEW_S = 300;
const ML87 = 'httpcg/ml-dsa-87/v1';
const isKeyName = (text) => /^[^\s+\u0000-\u001f\u007f]{1,255}$/u.test(text);
const isOrigin = (text) => /^[!-*,-~]{1,255}$/.test(text);

// --- keys ---------------------------------------------------------------------------------------

const keyId = (name, material) => hex(H(utf8(name), ascii('\n'), material).subarray(0, 4));

// name+id+base64(type || key): { name, id, kind, key }.
export function readVkey(vkey) {
    const found = /^([^+]*)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]*)$/.exec(vkey);
    wellFormed(found && isKeyName(found[1]), 'vkey');
    const [, name, id, text] = found;
    const material = unbase64(text);
    let kind = { 1: 'log-ed25519', 4: 'cosign-ed25519', 6: 'cosign-ml-dsa-44' }[material[0]];
    let key = material.subarray(1);
    if (material[0] === 0xff && latin1(key).startsWith(ML87))
        [kind, key] = ['log-ml-dsa-87', key.subarray(ML87.length)];
    wellFormed(kind, 'unknown type of vkey');
    need(keyId(name, material) === id, 'MISMATCH', 'key id');
    const length = { 'log-ml-dsa-87': 2592, 'cosign-ml-dsa-44': 1312 }[kind] ?? 32;
    need(key.length === length && (length !== 32 || usableKey(key)), 'KEY');
    return { name, id, kind, key };
}

export function writeVkey(name, kind, key) {
    const type = { 'log-ed25519': u(8, 1), 'cosign-ed25519': u(8, 4), 'cosign-ml-dsa-44': u(8, 6) }[kind];
    const material = concat(type ?? concat(u(8, 0xff), ascii(ML87)), key);
    return `${name}+${keyId(name, material)}+${base64(material)}`;
}

// --- notes --------------------------------------------------------------------------------------

export function readNote(wire) {
    wellFormed(wire.length <= NOTE_MAX, 'note too large');
    let source;
    try {
        source = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(wire);
    } catch {
        wellFormed(false, 'not UTF-8');
    }
    const blank = source.indexOf('\n\n');
    wellFormed(blank >= 0, 'no empty line');
    const text = source.slice(0, blank + 1);
    const tail = source.slice(blank + 2);
    const three = text.split('\n');
    wellFormed(three.length === 4 && isOrigin(three[0]), 'the three lines');
    wellFormed(/^(0|[1-9][0-9]*)$/.test(three[1]) && BigInt(three[1]) < 1n << 63n, 'size');
    const root = unbase64(three[2]);
    wellFormed(root.length === 32, 'root');
    const lines = tail.split('\n');
    wellFormed(lines.pop() === '' && lines.length >= 1 && lines.length <= LINES_MAX, 'signature lines');
    return { text, origin: three[0], size: BigInt(three[1]), root, lines: lines.map(readLine) };
}

function readLine(line) {
    const found = /^\u2014 ([^ ]+) ([A-Za-z0-9+/=]+)$/u.exec(line);
    wellFormed(found && isKeyName(found[1]), 'signature line');
    const raw = unbase64(found[2]);
    wellFormed(raw.length > 4, 'signature line');
    return { name: found[1], id: hex(raw.subarray(0, 4)), signature: raw.subarray(4) };
}

// --- cosignatures (C2SP tlog-cosignature) -------------------------------------------------------

export const cosignedByEd25519 = (note, time) => utf8(`cosignature/v1\ntime ${time}\n${note.text}`);
export const cosignedByMl44 = (note, name, time) =>
    concat(
        ascii('subtree/v1\n\0'),
        concat(u(8, name.length), ascii(name), u(64, time)),
        concat(u(8, note.origin.length), ascii(note.origin), u(64, 0), u(64, note.size), note.root),
    );

function lineVerifies(note, line, key, now) {
    if (key.kind === 'log-ed25519') return verifyEd25519(key.key, utf8(note.text), line.signature);
    if (key.kind === 'log-ml-dsa-87') return verifyMl87(key.key, utf8(note.text), line.signature, ascii(ML87));
    if (line.signature.length < 8) return false;
    const time = new DataView(Uint8Array.from(line.signature).buffer).getBigUint64(0);
    const signature = line.signature.subarray(8);
    if (time > BigInt(now + SKEW_S)) return false;
    return key.kind === 'cosign-ed25519'
        ? verifyEd25519(key.key, cosignedByEd25519(note, time), signature)
        : verifyMl44(key.key, cosignedByMl44(note, key.name, time), signature);
}

const timeOf = (line) => Number(new DataView(Uint8Array.from(line.signature).buffer).getBigUint64(0));

// --- the trust file -----------------------------------------------------------------------------

export const CHECKPOINT_AGE_S = 21600;

// A log as the trust file has it: its two keys under one name.
export function makeLog(ed, ml) {
    wellFormed(ed.kind === 'log-ed25519' && ml.kind === 'log-ml-dsa-87' && ed.name === ml.name, 'log');
    return { origin: ed.name, keys: [ed, ml], id: hex(logId(ed.name, { ed: ed.key, ml: ml.key })) };
}

// quorum: null, or a function from the set of witness keys that signed, oldest ages left out, to
// whether they are enough.
export function readTrust(source) {
    const trust = { logs: [], witnesses: new Map(), registries: [], pins: new Map(), maxAge: CHECKPOINT_AGE_S };
    const halves = new Map();
    const groups = new Map();
    let quorum;

    const once = (name) => wellFormed(!trust.witnesses.has(name) && !groups.has(name) && name !== 'none', name);
    const known = (name) => {
        wellFormed(trust.witnesses.has(name) || groups.has(name), `unknown ${name}`);
        return name;
    };
    const words = {
        log(vkey) {
            const key = readVkey(vkey);
            const other = halves.get(key.name);
            halves.set(key.name, key);
            if (other) trust.logs.push(makeLog(...[other, key].sort((a) => (a.kind === 'log-ed25519' ? -1 : 1))));
        },
        witness(name, vkey) {
            once(name);
            trust.witnesses.set(name, readVkey(vkey));
        },
        group(name, least, ...of) {
            once(name);
            const count = { all: of.length, any: 1 }[least] ?? Number(least);
            wellFormed(count >= 1 && count <= of.length, 'group');
            groups.set(name, { count, of: of.map(known) });
        },
        quorum(name) {
            wellFormed(quorum === undefined, 'two quorum lines');
            quorum = name === 'none' ? null : known(name);
        },
        registry(did, ...urls) {
            wellFormed(isDid(did) && urls.length >= 1 && urls.length <= 8, 'registry');
            trust.registries.push({ did, urls });
        },
        directory(did) {
            wellFormed(isDid(did), 'directory');
        },
        pin(name, did) {
            wellFormed(isName(name) && isDid(did) && !trust.pins.has(name), 'pin');
            trust.pins.set(name, did);
        },
        'max-checkpoint-age'(seconds) {
            wellFormed(/^[0-9]{1,7}$/.test(seconds), 'max-checkpoint-age');
            trust.maxAge = Number(seconds);
        },
        floor() {},
    };
    for (const line of source.split('\n')) {
        const [word, ...rest] = line.trim().split(/[ \t]+/);
        if (word === '' || word.startsWith('#')) continue;
        wellFormed(Object.hasOwn(words, word), `unknown word ${word}`);
        words[word](...rest);
    }
    wellFormed(quorum !== undefined, 'no quorum line');
    wellFormed(trust.logs.length * 2 === [...source.matchAll(/^[ \t]*log[ \t]/gm)].length, 'a log has two lines');
    trust.quorum = quorum === null ? null : (signed) => times(quorum, signed);

    // The cosignature times that make the quorum, or null where there is none.
    function times(name, signed) {
        if (trust.witnesses.has(name)) return signed.has(name) ? [signed.get(name)] : null;
        const { count, of } = groups.get(name);
        const met = of.map((one) => times(one, signed)).filter(Boolean);
        return met.length >= count ? met.flat() : null;
    }
    return trust;
}

// --- verification -------------------------------------------------------------------------------

// That the note is a head of log under this trust; the newest cosignature's time, 0 without quorum.
export function verifyNote(note, log, trust, now) {
    need(note.origin === log.origin, 'MISMATCH', 'of another log');
    const witnesses = [...trust.witnesses].map(([alias, key]) => ({ ...key, alias }));
    const seen = new Set();
    const signed = new Map();
    for (const line of note.lines) {
        const key = [...log.keys, ...witnesses].find((one) => one.name === line.name && one.id === line.id);
        if (!key) continue;
        need(lineVerifies(note, line, key, now), 'SIGNATURE', `line of ${key.name}`);
        seen.add(key.kind);
        if (key.alias) signed.set(key.alias, Math.max(timeOf(line), signed.get(key.alias) ?? 0));
    }
    need(seen.has('log-ed25519') && seen.has('log-ml-dsa-87'), 'SIGNATURE', 'not both of the log');
    if (!trust.quorum) return 0;
    const times = trust.quorum(signed);
    need(times, 'QUORUM');
    const newest = Math.max(...times);
    need(now - newest <= trust.maxAge, 'STALE', 'cosignatures');
    return newest;
}
