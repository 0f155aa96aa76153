// URLs, names, and what a request on the native listener is for (docs/protocol/url.md).
import { Fault, need } from './bytes.js';
import { checkAddress } from './identity.js';

const PLANES = ['app', 'bpi', 'gw', 'wallet', 'm2m'];
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const OHPH = /^[a-z2-7]{32}$/;

class Refusal extends Fault {
    constructor(code, part) {
        super(code, part);
        this.part = part;
    }
}

function refuse(condition, code, part) {
    if (condition) throw new Refusal(code, part);
}

function isHostName(text) {
    const labels = text.split('.');
    const last = labels[labels.length - 1];
    return text.length <= 253 && labels.every((one) => LABEL.test(one)) && !/^([0-9]+|0x[0-9a-f]+)$/.test(last);
}

function isAddress(text) {
    try {
        return checkAddress(text) === text;
    } catch {
        return false;
    }
}

function isAuthority(plane, text) {
    if (plane === 'm2m') return isAddress(text);
    if (plane !== 'gw') return isHostName(text);
    const [name, address, sig, ...more] = text.split('.');
    return LABEL.test(name) && isAddress(address) && OHPH.test(sig ?? '') && more.length === 0;
}

// plane/authority in canonical form.
export function isName(text) {
    const slash = text.indexOf('/');
    return PLANES.includes(text.slice(0, slash)) && isAuthority(text.slice(0, slash), text.slice(slash + 1));
}

const PCHAR = "[A-Za-z0-9._~!$&'()*+,;=:@-]";
const PCT = '%(?:[2-689A-F][0-9A-F]|7[0-9A-E])';
const PATH = new RegExp(`^(?:/|${PCHAR}|${PCT})*$`);
const QUERY = new RegExp(`^(?:[/?]|${PCHAR}|${PCT})*$`);

const upperEscapes = (text) => text.replace(/%[0-9a-fA-F]{2}/g, (escape) => escape.toUpperCase());
const decodeUnreserved = (text) =>
    text.replace(/%[0-9A-F]{2}/g, (escape) => {
        const c = String.fromCharCode(parseInt(escape.slice(1), 16));
        return /[A-Za-z0-9._~-]/.test(c) ? c : escape;
    });

function readPath(raw, plane) {
    const path = decodeUnreserved(upperEscapes(raw === '' ? '/' : raw));
    const segments = path.split('/').slice(1);
    const bad =
        !PATH.test(path) || /%(2F|5C)/.test(path) || path.includes('//') ||
        segments.some((one) => /^\.\.?(;|$)/.test(one));
    refuse(bad, 'SYNTAX', 'path');
    refuse(plane === 'm2m' && !OHPH.test(segments[0]), 'SCHEMA', 'path');
    return path;
}

// plane/authority/path?query#fragment, behind the two slashes.
function readRest(rest) {
    const end = rest.search(/[/?#]/);
    const rawPlane = end < 0 ? rest : rest.slice(0, end);
    refuse(rawPlane === '', 'SYNTAX', 'plane');
    const plane = rawPlane.toLowerCase();
    refuse(!PLANES.includes(plane), 'UNKNOWN', 'plane');
    const [, rawAuthority, rawPath, rawQuery, rawFragment] =
        /^\/?([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(end < 0 ? '' : rest.slice(end));
    refuse(rawAuthority === '', 'SYNTAX', 'authority');
    const authority = rawAuthority.toLowerCase();
    refuse(!isAuthority(plane, authority), 'SCHEMA', 'authority');
    const path = readPath(rawPath, plane);
    const query = upperEscapes(rawQuery ?? '');
    refuse(!QUERY.test(query.slice(1)), 'SYNTAX', 'query');
    const fragment = upperEscapes(rawFragment ?? '');
    refuse(!QUERY.test(fragment.slice(1)), 'SYNTAX', 'fragment');
    return { plane, authority, path, query, fragment };
}

export const write = (url) =>
    `httpcg://${url.plane}/${url.authority}${url.path}${url.query}${url.fragment}`;

export function read(text) {
    const slashes = text.indexOf('://');
    refuse(slashes < 0, 'SYNTAX', 'scheme');
    refuse(text.slice(0, slashes).toLowerCase() !== 'httpcg', 'UNKNOWN', 'scheme');
    const tooLong = (part, most) => (part ?? '').length > most;
    const [, path, query] = /^[^/]*\/[^/]*([^?#]*)(\?[^#]*)?/.exec(text.slice(slashes + 3)) ?? [];
    refuse(tooLong(text, 12288) || tooLong(path, 4096) || tooLong(query, 8193), 'TOO_LARGE', 'length');
    return readRest(text.slice(slashes + 3));
}

// What a request says of its target: { native } or { control, query }, or a Fault whose code is the
// problem's.
export function targetOf(request) {
    const scheme = request.scheme.toLowerCase();
    const upgrade = scheme === 'httpcg' && request.protocol === 'websocket';
    need(request.method !== 'TRACE', 'method-not-allowed');
    need(request.method !== 'CONNECT' || upgrade, 'method-not-allowed');
    if (scheme === 'httpcg') return { native: nativeTarget(request) };

    const [, host] = /^([^:]+)(?::[0-9]*)?$/.exec(request.authority) ?? [];
    const isOurs = host && (request.sni === '' || host.toLowerCase() === request.sni);
    const [, control, query] = /^\/\.well-known\/httpcg\/([^?]*)(?:\?(.*))?$/.exec(request.path) ?? [];
    need(scheme === 'https' && request.form !== 'absolute' && isOurs && control !== undefined, 'misdirected');
    return { control, query: query ?? '' };
}

function nativeTarget(request) {
    try {
        need(request.path.startsWith('/') && !request.path.includes('#'), 'bad-request');
        need(!/[/?#]/.test(request.authority), 'bad-request');
        return write(read(`httpcg://${request.authority}${request.path}`));
    } catch (fault) {
        throw new Fault(fault.code === 'TOO_LARGE' ? 'uri-too-long' : 'bad-request', fault.message);
    }
}
