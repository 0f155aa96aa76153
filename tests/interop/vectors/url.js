// url.json: URLs, and what requests on a native listener are for.
import { ends, equal, Suite } from '../harness.js';
import { Fault } from '../proto/bytes.js';
import * as url from '../proto/url.js';

const suite = new Suite('url');
export default suite;

suite.each('accepted', ['accepted'], (v) => {
    const read = url.read(v.text);
    equal(url.write(read), v.canonical);
    for (const part of ['plane', 'authority', 'path', 'query', 'fragment']) equal(read[part], v[part], part);
    equal(url.write(url.read(v.canonical)), v.canonical, 'canonical once more');
});
suite.each('refused', ['refused'], (v) => {
    let part;
    ends(v.error, () => {
        try {
            url.read(v.text);
        } catch (fault) {
            part = fault.part;
            throw new Fault(fault.code, `${fault.part} of ${v.text}`);
        }
    });
    equal(part, v.part, 'part');
}, { only: ['error', 'part'] });

suite.each('native', ['requests_native'], (v) => equal(url.targetOf(v).native, v.native), { only: ['native', 'path'] });
suite.each('control', ['requests_control'], (v) => {
    equal(url.targetOf(v).control, v.control);
    equal(url.targetOf(v).query, v.query);
}, { only: ['control', 'query', 'path'] });
suite.each('refused request', ['requests_refused'], (v) => {
    let code = 'OK';
    try {
        url.targetOf(v);
    } catch (fault) {
        code = fault.code;
    }
    equal(code, v.refusal);
}, { only: ['refusal'] });
