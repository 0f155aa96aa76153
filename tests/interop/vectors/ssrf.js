// ssrf.json: addresses and names that a gateway may connect to for a record.
import { equal, holds, Suite, yes } from '../harness.js';
import { latin1, unhex } from '../proto/bytes.js';
import { isPublic, isTargetHost } from '../proto/target.js';

const suite = new Suite('ssrf');
export default suite;

suite.each('address', ['addresses'], (v) => {
    const bytes = unhex(v.bytes);
    holds(bytes.length === 4 || bytes.length === 16, 'length');
    if (bytes.length === 4) equal([...bytes].join('.'), v.address);
    equal(isPublic(bytes), yes(v.public), v.address);
}, { only: ['public'] });
suite.each('host', ['hosts'], (v) => equal(isTargetHost(latin1(unhex(v.host))), yes(v.ok)), { only: ['ok'] });
