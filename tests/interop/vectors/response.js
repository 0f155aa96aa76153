// response.json: signed answers to the requests of sapi.json.
import { equal, holds, int, Suite } from '../harness.js';
import { ascii, H, hex, unhex, utf8 } from '../proto/bytes.js';
import { keyOf } from '../proto/hybrid.js';
import * as sapi from '../proto/sapi.js';
import requests, { tbsOf } from './sapi.js';

const suite = new Suite('response');
export default suite;

const transport = () => keyOf(Uint8Array.from({ length: 32 }, (_, i) => 128 + i));

suite.each('answer', ['responses'], (v) => {
    const asked = requests.data.requests[int(v.request)];
    holds(asked, 'request');
    const { header, tbs: requestTbs, epoch, channel } = tbsOf(asked, requests.data);
    const response = sapi.readResponse(ascii(v.sapi_response));
    equal(sapi.writeResponse(response), v.sapi_response);
    equal(response.alg, v.alg);
    equal(response.timestamp, int(v.timestamp));
    const bodyMode = int(v.body_mode);
    const contentDigest = bodyMode > 0 ? sapi.readContentDigest(v.content_digest) : undefined;
    if (bodyMode > 0) equal(hex(contentDigest), hex(H(utf8(v.body))), 'digest of the body');
    else equal(v.body, '', 'body');
    const answer = { status: int(v.status), fields: v.fields, bodyMode, contentDigest, trailers: v.trailers };
    const tbs = sapi.responseToBeSigned(answer, response, requestTbs);
    equal(tbs, v.tbs);
    const keys = { mac: channel.grantKeys(unhex(requests.data.grant_hash), epoch).s2c, transport: transport() };
    sapi.verifyResponse(response, header, tbs, keys);
});
