// staple.json: staples of each use, and of logs that misbehave.
import { ends, equal, holds, int, spliced, Suite } from '../harness.js';
import { hex, need, unhex } from '../proto/bytes.js';
import * as staple from '../proto/staple.js';
import { trustOf } from './checkpoint.js';

const suite = new Suite('staple');
export default suite;
const ledger = new Suite('checkpoint').data;
const records = new Suite('record').data;
const certs = new Suite('tlsls').data;

// What the entry must be, for the two uses that name it.
const ENTRIES = {
    cert: ['tlsls', certs.did, certs.commitment],
    record: ['registry', 'app/app.example.com', records.commitments.good],
};

function verify(v, data) {
    const asks = data.asks[v.use];
    const wanted = ENTRIES[v.use];
    const trust = trustOf(ledger, v.quorum, 21600);
    const seen = { size: int(v.seen_size), root: unhex(v.seen_root, 32), time: int(v.seen_time) };
    const entry = (found) => {
        if (wanted) need(`${found.kind} ${found.subject} ${hex(found.commitment)}` === wanted.join(' '), 'MISMATCH', 'entry');
    };
    const hasEntry = int(data.incl[v.use]) >= 0;
    const how = { trust, now: int(v.now), maxAge: int(v.max_age), seen, hasEntry, entry };
    return staple.verify(spliced(unhex(data.bases[v.base]), v), asks.map((one) => [one.kind, one.id]), how);
}

suite.each('case:', ['cases'], (v, data) => {
    const result = ends(v.error, () => verify(v, data), { step: v.step });
    if (!result) return;
    result.values.forEach((value, i) => equal(value === null ? '' : hex(value), data.asks[v.use][i].value, 'value'));
    if (int(data.incl[v.use]) >= 0) equal(result.incl.index, int(data.incl[v.use]), 'index of the entry');
}, { only: ['error', 'step'] });

// The good staples, each of whose facts is told beside them.
const GOOD = suite.data.cases.findIndex((one) => one.why === 'good');
holds(GOOD === 0, 'the first case is good');
for (const use of ['cert', 'record', 'denial', 'did', 'rotated', 'revoked']) {
    const good = (data) => data.cases.find((one) => one.why === 'good' && one.use === use);
    const again = (_, data) => {
        const result = verify(good(data), data);
        result.values.forEach((value, i) => equal(value === null ? '' : hex(value), data.asks[use][i].value, 'value'));
        equal(result.incl?.index ?? -1, int(data.incl[use]), 'index of the entry');
        equal(result.note.size, int(data.size));
        equal(result.note.root, data.root);
        equal(result.time, int(data.time));
    };
    suite.check(`${use}: bytes`, ['bases', use], again);
    suite.check(`${use}: questions and answers`, ['asks', use], again, { inert: ['cert', 'revoked'].includes(use) ? ['id'] : [] });
    suite.check(`${use}: place of the entry`, ['incl', use], again);
}
suite.each('the certificate with an entry', ['entries'], (v, data) => {
    const wanted = ENTRIES.cert.join(' ');
    const entry = (found) => need(`${found.kind} ${found.subject} ${hex(found.commitment)}` === wanted, 'MISMATCH', 'entry');
    const how = { trust: trustOf(ledger, 'two', 21600), now: int(data.time) + 60, maxAge: 0, seen: null, hasEntry: true, entry };
    ends(v.error, () => staple.verify(unhex(v.staple), data.asks.cert.map((one) => [one.kind, one.id]), how),
        { step: v.error === 'OK' ? '' : 'inclusion' });
}, { inert: (v) => (v.error === 'OK' ? [] : ['staple']) });
const did = (_, data) => {
    const result = verify(data.cases.find((one) => one.why === 'good' && one.use === 'did'), data);
    equal(`${result.note.size} ${hex(result.note.root)} ${result.time}`, `${int(data.size)} ${data.root} ${int(data.time)}`);
};
for (const name of ['size', 'root', 'time']) suite.check(`the head's ${name}`, [name], did);
suite.check('the owner', ['owner'], (v, data) => equal(data.asks.did[0].id, v));
// By themselves the proofs show that others are absent as well.
for (const use of ['cert', 'revoked'])
    suite.check(`${use}: whose keys`, ['asks', use, '1', 'id'], (v, data) => equal(v, data.gateway));
suite.check('the gateway', ['gateway'], (v, data) => equal(v, data.asks.cert[1].id));
suite.check('the operator', ['operator'], (v, data) => equal(data.asks.record[2].id, v));
suite.check('who rotated', ['rotated'], (v, data) => equal(data.asks.rotated[0].id, v));
suite.check('the certificate', ['fingerprint'], (v, data) => {
    equal(data.asks.cert[0].id, v);
    equal(certs.fingerprint, v);
});
suite.leave(['bases'], 'the others come from logs that misbehave');
