// checkpoint.json: verifier keys, notes, and which sets of lines make a checkpoint.
import { ends, equal, holds, int, Suite } from '../harness.js';
import { base64, hex, unhex, utf8 } from '../proto/bytes.js';
import { logId } from '../proto/cert.js';
import { keyOf, verifyEd25519 } from '../proto/hybrid.js';
import { cosignedByEd25519, cosignedByMl44, makeLog, readNote, readTrust, readVkey, verifyNote, writeVkey } from '../proto/note.js';

const suite = new Suite('checkpoint');
export default suite;

// A trust file with the log and the three witnesses, of which two are asked for, or none.
export function trustOf(data, quorum, maxAge) {
    holds(quorum === 'two' || quorum === 'none', 'quorum');
    const lines = data.witnesses.map((one, i) => `witness w${i + 1} ${one.vkey}`);
    return readTrust(
        [
            `log ${data.log.vkey_ed25519}`, `log ${data.log.vkey_mldsa87}`, ...lines, 'group two 2 w1 w2 w3', `quorum ${quorum}`,
            `max-checkpoint-age ${maxAge}`,
        ].join('\n'),
    );
}

const noteOf = (data, v) => utf8(`${v.text}\n${v.lines.map((name) => data.lines[name]).join('')}`);
const verify = (data, v) => {
    const trust = trustOf(data, v.quorum, int(data.max_age));
    return verifyNote(readNote(noteOf(data, v)), trust.logs[0], trust, int(data.now));
};
const goodNote = (data) => readNote(noteOf(data, data.cases[0]));

suite.check('the log', ['log'], (v) => {
    const key = keyOf(unhex(v.seed));
    equal(key.ed, v.ed25519);
    equal(key.ml, v.mldsa87);
    equal(writeVkey(v.origin, 'log-ed25519', key.ed), v.vkey_ed25519);
    equal(writeVkey(v.origin, 'log-ml-dsa-87', key.ml), v.vkey_mldsa87);
    equal(hex(logId(v.origin, key)), v.log_id);
    equal(makeLog(readVkey(v.vkey_ed25519), readVkey(v.vkey_mldsa87)).id, v.log_id);
});
suite.check('the size', ['size'], (v, data) => equal(goodNote(data).size, int(v)));
suite.check('the root', ['root'], (v, data) => equal(goodNote(data).root, v));
suite.check('the time', ['now'], (v, data) => holds(int(v) === int(data.witnesses[0].time) + 60, 'a minute behind'));
suite.check('the age', ['max_age'], (v) => equal(int(v), 21600));
suite.each('witness', ['witnesses'], (v, data) => {
    const key = readVkey(v.vkey);
    equal(key.name, v.name);
    equal(key.kind, v.type);
    equal(key.key, v.public);
    equal(writeVkey(v.name, v.type, unhex(v.public)), v.vkey);
    const note = goodNote(data);
    const time = int(v.time);
    const message = v.type === 'cosign-ed25519' ? cosignedByEd25519(note, time) : cosignedByMl44(note, v.name, time);
    equal(message, v.message);
    equal(Object.values(data.lines).includes(v.line), true, 'line');
    holds(v.seed.length === 64, 'seed');
}, { inert: ['seed'] }); // seeds of witnesses are for whoever makes the vectors anew

suite.each('case:', ['cases'], (v, data) => {
    const newest = ends(v.error, () => verify(data, v));
    equal(newest ?? 0, int(v.cosigned), 'newest cosignature');
}, { only: ['error', 'cosigned'] });
suite.check('the text that was signed', ['cases', '0'], (v, data) => verify(data, v), { only: ['text'] });
for (const name of ['ed', 'ml', 'w1', 'w2', 'w3', "w1 at the skew's end", 'w1 old', 'w1 just fresh', 'w2 old', 'w2 without time'])
    suite.check(`line ${name}`, ['lines', name], (v, data) => {
        const trust = trustOf(data, 'none', int(data.max_age));
        const lines = [data.lines.ed, data.lines.ml, v].join('');
        verifyNote(readNote(utf8(`${data.cases[0].text}\n${lines}`)), trust.logs[0], trust, int(data.now));
        holds([...trust.witnesses.values(), ...trust.logs[0].keys].some((key) => isOf(key, v)), 'the line of a known key');
    });
const isOf = (key, line) => line.startsWith(`— ${key.name} `) && hex(Buffer.from(line.split(' ')[2], 'base64').subarray(0, 4)) === key.id;
suite.leave(['lines'], "the others are bad on purpose, or strangers'");

suite.each('note:', ['reads'], (v) => ends(v.error, () => readNote(unhex(v.note))), { only: ['error'] });
suite.each('key refused:', ['vkeys_bad'], (v) => ends(v.error, () => readVkey(v.vkey)), { only: ['error'] });

suite.check("C2SP's example", ['c2sp'], (v) => {
    const key = readVkey(v.vkey);
    const [, name, signature] = v.line.trimEnd().split(' ');
    const raw = new Uint8Array(Buffer.from(signature, 'base64'));
    equal(base64(raw), signature);
    equal(name, key.name);
    equal(raw.slice(0, 4), key.id);
    holds(verifyEd25519(key.key, utf8(v.text), raw.slice(4)), 'signature');
});
