// record.json: records, the ledger's objects, and answers of registries with their verdicts.
import { ends, equal, holds, int, spliced, Suite, yes } from '../harness.js';
import { ascii, base64, hex, unhex } from '../proto/bytes.js';
import { isDid, readWalletDoc } from '../proto/identity.js';
import * as json from '../proto/json.js';
import { readTrust } from '../proto/note.js';
import * as record from '../proto/record.js';
import * as staple from '../proto/staple.js';

const suite = new Suite('record');
export default suite;
const v1 = new Suite('v1').data;

const NAME = 'app/app.example.com';
const read = (text) => record.fromJson(json.read(ascii(text)));

function answerOf(v, data) {
    const part = (list, name) => {
        holds(name === '' || Object.hasOwn(data[list], name), `${list}: ${name}`);
        return name === '' ? '' : data[list][name];
    };
    const members = [`"staple":"${base64(unhex(part('staples', v.staple)))}"`];
    if (v.record !== '') {
        members.push(`"record":${part('records', v.record)}`, `"operator_did":"${v.operator_did}"`);
        for (const name of ['wallet_doc', 'operator_doc']) members.push(`"${name}":"${base64(unhex(part('docs', v[name])))}"`);
    }
    if (v.status === '404' && v.staple === '') members.length = 0;
    const problem = [
        '"type":"httpcg://bpi/problems.httpcg/v1/name-unresolved"', '"title":"There is no such name."', '"status":404',
        '"instance":"urn:uuid:00000000-0000-4000-8000-000000000000"',
    ];
    return ascii(`{${[...(v.status === '404' ? problem : []), ...members].join()}}`);
}

function resolve(v, data) {
    const commitment = v.seen_commitment === '' ? new Uint8Array(32) : unhex(v.seen_commitment, 32);
    return record.resolve(NAME, int(v.status), answerOf(v, data), {
        trust: readTrust(data.trust), now: int(v.now), maxAge: int(v.max_age), seen: { serial: int(v.seen_serial), commitment },
        isLocal: yes(v.local),
    });
}
const good = (data) => data.cases.find((one) => one.why === 'good');

suite.check('the trust file', ['trust'], (v, data) => {
    const trust = readTrust(v);
    equal(trust.logs[0].id, data.log_id);
    equal(trust.registries.map((one) => one.did).join(), data.operator);
});
suite.check('the log', ['log_id'], (v, data) => equal(readTrust(data.trust).logs[0].id, v));
suite.check('the owner', ['owner'], (v, data) => equal(readWalletDoc(unhex(data.docs.owner)).did, v));
suite.check('the operator', ['operator'], (v, data) => equal(readWalletDoc(unhex(data.docs.operator)).did, v));
suite.check('the time', ['time'], (v, data) => equal(read(data.records.good).issued_at, int(v)));

// Records that say something wrong are records nevertheless: each is read, and made again.
for (const name of Object.keys(suite.data.records)) {
    const again = (_, data) => {
        const r = read(data.records[name]);
        equal(record.commitmentOf(r), data.commitments[name]);
        equal(record.ownerBytes(r), data.signed[name]);
        equal(record.toObject(record.fromObject(record.toObject(r))), hex(record.toObject(r)));
        holds(isDid(r.rp_did), 'owner');
    };
    suite.check(`commitment to ${name}`, ['commitments', name], again);
    suite.check(`signed bytes of ${name}`, ['signed', name], again);
    suite.check(`record ${name}`, ['records', name], again, { only: [] });
}
suite.check('the record of v1.json', ['records', 'good'], (v) => {
    equal(record.toObject(read(v)), v1.registry.object);
    equal(JSON.stringify(Object.keys(JSON.parse(v))), JSON.stringify(Object.keys(json.read(ascii(v)))), 'members');
});
suite.check('the staple of a good record', ['staples', 'good'], (v, data) => void resolve(good(data), data));
suite.check('the staple of a denial', ['staples', 'denial'], (v, data) =>
    void resolve(data.cases.find((one) => one.why === 'never registered'), data));
suite.each('staple', ['staples'], (v) => void (v === '' || staple.read(unhex(v))), { only: [] });
for (const name of ['owner', 'operator'])
    suite.check(`document of the ${name}`, ['docs', name], (v, data) => void resolve(good(data), data));
suite.check('document of who rotated', ['docs', 'rotated'], (v, data) =>
    void resolve(data.cases.find((one) => one.why === 'an owner that rotated'), data));
suite.leave(['docs'], 'the others are wrong on purpose');

suite.each('answer:', ['cases'], (v, data) => void ends(v.error, () => resolve(v, data), { step: v.step }), {
    only: ['error', 'step'],
});
suite.check('the operator in a good answer', ['cases', '0', 'operator_did'], (v, data) => void resolve(good(data), data));

const ALSO = { MISMATCH: ['MALFORMED'], EXPIRED: ['MALFORMED'] };
suite.each('spelling:', ['reads'], (v, data) => {
    const bytes = spliced(ascii(data.records.good), v);
    const r = ends(v.error, () => record.fromJson(json.read(bytes)), { also: ALSO });
    if (r && v.why !== 'good') holds(hex(bytes) !== hex(ascii(data.records.good)), 'another spelling');
}, { only: ['error'] });
suite.each('object:', ['objects'], (v, data) => {
    const wire = spliced(record.toObject(read(data.records.good)), v);
    const r = ends(v.error, () => record.fromObject(wire), { also: ALSO });
    if (r) equal(record.toObject(r), hex(wire));
}, { only: ['error'] });

suite.each('date', ['dates'], (v) => {
    equal(record.readDate(v.text), int(v.seconds));
    equal(record.writeDate(int(v.seconds)), v.text);
});
suite.each('no date:', ['dates_bad'], (v) => void ends('SYNTAX', () => record.readDate(v)), { only: [] });
