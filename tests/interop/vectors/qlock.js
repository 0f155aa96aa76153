// qlock.json: what connections derive.
import { equal, int, Suite } from '../harness.js';
import { ascii, unhex } from '../proto/bytes.js';
import * as lock from '../proto/lock.js';

const suite = new Suite('qlock');
export default suite;

const channelOf = (v) => new lock.Channel(unhex(v.exporter, 32), unhex(v.spki, 32), unhex(v.fingerprint, 32));

suite.each('channel', ['channels'], (v) => {
    const c = channelOf(v);
    equal(c.prk, v.prk);
    equal(c.cb, v.cb);
    equal(c.sessionId, v.session_id);
});
suite.each('lock', ['locks'], (v, data) => {
    const c = channelOf(data.channels[0]);
    const made = c.lock(v, int(v.epoch));
    equal(made.route, v.route);
    equal(made.qlk, v.qlk);
    equal(made.key, v.qlock_key);
    equal(made.hash, v.qlock_hash);
    equal(lock.writeHeader(c, int(v.epoch), made), v.header);
    lock.verifyHeader(c, v, lock.readHeader(ascii(v.header)));
});
