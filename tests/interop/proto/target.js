// Where a gateway may connect for a record (docs/protocol/record.md, "Targets").
import { isDnsName } from './cert.js';

const block = (text) => {
    const [address, bits] = text.split('/');
    const octets = address.split('.').map(Number);
    return { bytes: [0, 1, 2, 3].map((i) => octets[i] ?? 0), bits: Number(bits) };
};

const NOT_PUBLIC = [
    '0/8', '10/8', '100.64/10', '127/8', '169.254/16', '172.16/12', '192.0.0/24', '192.0.2/24',
    '192.88.99/24', '192.168/16', '198.18/15', '198.51.100/24', '203.0.113/24', '224/4', '240/4',
].map(block);

function startsWith(address, { bytes, bits }) {
    for (let i = 0; i < bits; i++) {
        const bit = (of) => ((of[i >> 3] ?? 0) >> (7 - (i & 7))) & 1;
        if (bit(address) !== bit(bytes)) return false;
    }
    return true;
}

const isPublic4 = (address) => !NOT_PUBLIC.some((one) => startsWith(address, one));

const six = (bits, ...bytes) => ({ bytes, bits });
const MAPPED = six(96, ...new Array(10).fill(0), 0xff, 0xff);
const NAT64 = six(96, 0x00, 0x64, 0xff, 0x9b);
const SIX_TO_FOUR = six(16, 0x20, 0x02);
const TEREDO = six(32, 0x20, 0x01, 0x00, 0x00);
const GLOBAL = six(3, 0x20);
const SPECIAL = [six(23, 0x20, 0x01), six(32, 0x20, 0x01, 0x0d, 0xb8), six(20, 0x3f, 0xff)];

function isPublic6(address) {
    if (startsWith(address, MAPPED) || startsWith(address, NAT64)) return isPublic4(address.slice(12));
    if (startsWith(address, SIX_TO_FOUR)) return isPublic4(address.slice(2, 6));
    if (startsWith(address, TEREDO))
        return isPublic4(address.slice(4, 8)) && isPublic4(address.slice(12).map((byte) => byte ^ 0xff));
    return startsWith(address, GLOBAL) && !SPECIAL.some((one) => startsWith(address, one));
}

// address: 4 or 16 bytes in network order.
export const isPublic = (address) => (address.length === 4 ? isPublic4(address) : isPublic6(address));

// A DNS name, and an address in no spelling: the last label is no number.
export const isTargetHost = (text) =>
    isDnsName(text) && !/^([0-9]+|0x[0-9a-f]+)$/.test(text.split('.').pop());

export const isTargetPort = (port) => port === 443 || port === 8443;
