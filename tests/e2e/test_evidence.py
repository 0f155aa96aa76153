"""A rule with evidence: the backend gets what convinces it without a word of the gateway's. It is verified
here as docs/protocol/forward.md says, by plain Python that shares no algorithm with the gateway: Ed25519 and
ML-DSA-87 are those of tests/vectors/make."""

import base64
import hashlib
import importlib.util
import os
import pathlib
import subprocess
import sys
import time

import pytest
from instance import SOURCE

sys.path += [str(pathlib.Path(__file__).parent.parent / folder) for folder in ("attacks", "vectors/make")]
import ed25519  # noqa: E402
import mldsa87  # noqa: E402
from backend import Backend  # noqa: E402
from forms import H, TUP, cbor, u  # noqa: E402
from hybrid import hsig_text, issue  # noqa: E402
from house import DAEMON, SECRET, House, profile, rule  # noqa: E402
from rogue import Connection, Wallet, uncbor  # noqa: E402

RULES = [
    rule("/free/**", roles=["anonymous"], sapi="none"),
    rule("/order/**", sapi="ed25519", evidence=True),
    rule("/pay/**", sapi="hybrid", evidence=True),
    rule("/**"),
]


def example():
    """examples/backend.py, whose name is taken here."""
    spec = importlib.util.spec_from_file_location("example_backend", SOURCE / "examples/backend.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def house():
    backend = Backend()
    house = House(backend.port, rules=RULES)
    house.backend = backend
    house.gate = example().Gate(bytes.fromhex(SECRET))
    yield house
    code = house.stop()
    words = house.words()
    house.close()
    backend.close()
    assert code == 0, words


@pytest.fixture(params=["h2", "http/1.1"])
def grant(house, request):
    with Connection(house, alpn=request.param) as connection:
        yield connection.grant(Wallet())


# --- what a backend does --------------------------------------------------------------------------


class Doubt(Exception):
    """The evidence does not convince."""


def need(condition, what):
    if not condition:
        raise Doubt(what)


def fields_of_tup(wire):
    """The label and the fields of a TUP (docs/protocol/encodings.md)."""

    def take(at):
        end = at + 4 + int.from_bytes(wire[at : at + 4], "big")
        need(end <= len(wire), "a TUP that is cut")
        return wire[at + 4 : end], end

    label, at = take(0)
    count, at = wire[at], at + 1
    fields = []
    for _ in range(count):
        field, at = take(at)
        fields.append(field)
    need(at == len(wire), "a TUP with more behind it")
    return label.decode(), fields


def keys_of(doc, address):
    """The keys that a wallet's document proves."""
    fields = uncbor(doc)
    need(cbor(fields) == doc and fields["v"] == 1, "the document's form")
    h = H(TUP("httpcg-waddr/v1", fields["ed25519"], H(fields["mldsa87"]), fields["next"]))
    check = H(TUP("httpcg-waddr-chk/v1", h, u(8, 1)))[:2]
    need(base64.b32encode(h + check + b"\1").decode().lower() == address, "another wallet's document")
    return fields["ed25519"], fields["mldsa87"]


def check_hsig(keys, dom, message, signature):
    text = hsig_text(dom, message)
    need(len(signature) == 4691, "a signature's length")
    need(ed25519.verify(keys[0], text, signature[:64]), dom + ": Ed25519")
    need(mldsa87.verify(keys[1], text, b"HSIG1:" + dom.encode(), signature[64:]), dom + ": ML-DSA-87")


def convince(evidence, doc, seen, spent):
    """Checks evidence against the request as it was received; gives the wallet that made it."""
    grant, grant_signature, tbs, signature = uncbor(evidence)
    said = uncbor(grant)
    keys = keys_of(doc, said["wallet_address"])
    check_hsig(keys, "grant", grant, grant_signature)
    label, f = fields_of_tup(tbs)
    need(label == "httpcg-sapi/v1" and len(f) == 16, "what is signed")
    alg, wallet, _time, nonce, session, epoch, _lock, fingerprint, method, plane, authority, path, query, mode, digest, _ = f
    grant_hash = H(TUP("httpcg-grant-hash/v1", grant))
    need(wallet.decode() == said["wallet_address"], "another wallet's request")
    need(nonce[:8] == grant_hash[:8], "a request under another grant")
    need(session.decode() == said["session_id"] and fingerprint == said["tlsls_fpr"], "another connection's request")
    minute = int.from_bytes(epoch, "big")
    need(said["epoch_start"] <= minute < said["epoch_start"] + said["epochs"], "the grant was over")
    if alg == b"\2":
        need(ed25519.verify(said["session_key"], tbs, signature), "sapi-request: Ed25519")
    else:
        need(alg == b"\3", "a MAC convinces nobody")
        check_hsig(keys, "sapi-request", tbs, signature)
    # It is this request, and no other.
    need(method.decode() == seen.method and (path + query).decode() == seen.target, "another request")
    url = "httpcg://" + b"/".join([plane, authority]).decode() + (path + query).decode()
    need([url] == seen.values("x-httpcg-original-url"), "another name")
    need(mode == (b"\1" if seen.body else b"\0"), "body mode")
    need(digest == (hashlib.sha256(seen.body).digest() if seen.body else b""), "another body")
    need((grant_hash, nonce) not in spent, "seen before")
    spent.add((grant_hash, nonce))
    return said["wallet_address"]


def fetch(house, name):
    status, content = house.ask("GET", "/evidence/" + name)
    assert status == 200
    assert hashlib.sha256(content).hexdigest() == name, "it is what the gateway has named, or nothing"
    return content


def evidence_of(house, seen):
    """From the field, or from where the field says."""
    inline, named = seen.values("x-httpcg-evidence"), seen.values("x-httpcg-evidence-ref")
    assert len(inline) + len(named) == 1, seen
    if named:
        return fetch(house, named[0]), "named"
    assert len(inline[0]) <= 8192
    return base64.urlsafe_b64decode(inline[0] + "=" * (-len(inline[0]) % 4)), "inline"


def received(house, request):
    """Sends it, and gives what the backend got, the gateway's signature over its fields verified."""
    before = len(house.backend.seen)
    answer = request.send()
    assert answer.status == 200, answer
    (seen,) = house.backend.seen[before:]
    told = house.gate.check(seen.method, f"http://127.0.0.1:{house.backend_port}{seen.target}", seen.fields)
    assert any(name.startswith("evidence") for name in told) == bool("evidence" in str(seen.fields).lower())
    return seen


# --- the tests ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path, mode, how", [("/order", "ed25519", "inline"), ("/order", "hybrid", "named"), ("/pay", "hybrid", "named")])
@pytest.mark.parametrize("body, more", [(b"", "/1"), (b"", "/1?to=x%20y&to="), (b'{"amount":7}' * 1000, "/2")])
def test_evidence_convinces_whoever_trusts_the_gateway_in_nothing(house, grant, path, mode, how, body, more):
    method = "POST" if body else "GET"
    seen = received(house, grant.sign(method, house.site + path + more, body=body, mode=mode))
    evidence, came = evidence_of(house, seen)
    assert came == how
    doc = fetch(house, *seen.values("x-httpcg-wallet-doc-ref"))
    assert doc == grant.wallet.doc
    spent = set()
    assert convince(evidence, doc, seen, spent) == grant.wallet.address == seen.values("x-httpcg-wallet-address")[0]
    with pytest.raises(Doubt, match="seen before"):
        convince(evidence, doc, seen, spent)


def test_a_gateway_that_changes_anything_is_found_out(house, grant):
    """What an honest gateway sent, changed as a dishonest one could."""
    seen = received(house, grant.sign("POST", house.site + "/order/1?n=1", body=b"one", mode="ed25519"))
    evidence, _ = evidence_of(house, seen)
    doc = grant.wallet.doc
    for name, value in [("method", "PUT"), ("target", "/order/2?n=1"), ("target", "/order/1?n=2"), ("body", b"two"), ("body", b"")]:
        kept = getattr(seen, name)
        setattr(seen, name, value)
        with pytest.raises(Doubt):
            convince(evidence, doc, seen, set())
        setattr(seen, name, kept)
    parts = uncbor(evidence)
    for i, part in enumerate(parts):
        for at in (len(part) // 3, len(part) - 1):
            bad = parts[:i] + [part[:at] + bytes([part[at] ^ 1]) + part[at + 1 :]] + parts[i + 1 :]
            with pytest.raises((Doubt, KeyError, ValueError, IndexError, AssertionError)):
                convince(cbor(bad), doc, seen, set())
    with pytest.raises(Doubt):
        convince(evidence, Wallet().doc, seen, set())
    assert convince(evidence, doc, seen, set())


def test_a_grant_with_credentials_makes_evidence_that_is_fetched(house):
    wallet = Wallet()
    credential = issue(house.owner.key, "role", cbor({"v": 1, "owner": house.owner.did, "aud": "web", "role": "x",
                       "wallet": wallet.address, "until": int(time.time()) + 60, "nonce": bytes(16)}))  # fmt: skip
    with Connection(house) as connection:
        grant = connection.grant(wallet, creds=[credential] * 4)
        seen = received(house, grant.sign("GET", house.site + "/order/1", mode="ed25519"))
        evidence, came = evidence_of(house, seen)
        assert came == "named" and len(evidence) > 4 * len(credential)
        assert convince(evidence, wallet.doc, seen, set()) == wallet.address


def test_rules_without_evidence_send_none(house, grant):
    for mode in ("grant", "hybrid"):
        seen = received(house, grant.sign("GET", house.site + "/x", mode=mode))
        assert not any("evidence" in name or "doc" in name for name, _ in seen.fields)


def test_a_mac_or_a_body_signed_behind_itself_is_not_taken_for_evidence(house, grant):
    answer = grant.sign("GET", house.site + "/order/1").send()
    assert (answer.code, answer.problem["sapi"]) == ("step-up", "ed25519")
    answer = grant.sign("GET", house.site + "/pay/1", mode="ed25519").send()
    assert (answer.code, answer.problem["sapi"]) == ("step-up", "hybrid")
    before = len(house.backend.seen)
    answer = grant.sign("POST", house.site + "/order/1", body=b"x", body_mode=2, mode="ed25519").send()
    assert answer.code == "forbidden" and len(house.backend.seen) == before


def test_what_nobody_was_told_is_not_there(house, grant):
    received(house, grant.sign("GET", house.site + "/pay/1", mode="hybrid"))
    for name in ["", "0" * 64, "0" * 63, "x" * 64, os.urandom(32).hex(), os.urandom(32).hex().upper(), "../checkpoint"]:
        assert house.ask("GET", "/evidence/" + name)[0] in (400, 404), name
    assert house.ask("POST", "/evidence/" + "0" * 64)[0] == 405


def test_a_wallet_whose_keys_were_rotated_has_its_document_in_the_ledger(house):
    from test_grants import operation, with_next

    wallet = Wallet()
    following = with_next(wallet)
    rotation = operation(wallet, following, "rotate")
    house.submit(wallet.doc)
    house.submit(rotation)
    wallet.key, first, wallet.doc = following, wallet.doc, cbor([wallet.doc, rotation])
    with Connection(house) as connection:
        seen = received(house, connection.grant(wallet).sign("GET", house.site + "/order/1", mode="ed25519"))
    assert seen.values("x-httpcg-wallet-doc-ref") == []
    assert house.ask("GET", "/object/" + H(TUP("httpcg-object/v1", "", first)).hex()) == (200, first)
    assert evidence_of(house, seen)[1] == "inline"


# --- where it cannot be given ---------------------------------------------------------------------


@pytest.fixture
def own():
    """An instance of the test's own, with little room for evidence."""
    backend = Backend()
    house = House(backend.port, rules=RULES)
    house.backend = backend
    yield house
    code = house.stop()
    words = house.words()
    house.close()
    backend.close()
    assert code == 0, words


def config_of(house):
    return pathlib.Path(house.path("httpcgd.yaml")).read_text()


def test_evidence_that_does_not_fit_into_its_budget_refuses_the_request(own):
    house = own
    house.write("httpcgd.yaml", config_of(house).replace("limits: {", "limits: {evidence: 64KiB, "))
    house.reload()
    with Connection(house) as connection:
        grant = connection.grant(Wallet())
        answers = [grant.sign("GET", house.site + "/pay/1", mode="hybrid").send() for _ in range(10)]
        codes = [answer.code for answer in answers]
        assert codes[:5] == [200] * 5 and codes[-1] == "unavailable", codes
        assert len(house.backend.seen) == 1 + codes.count(200), "one before, to find out that it serves"
        assert answers[-1].value("retry-after")
        # What needs no room goes on.
        assert grant.sign("GET", house.site + "/x").send().status == 200


def test_where_backends_could_fetch_nothing_it_is_refused(own):
    house = own
    house.process.terminate()
    house.process.wait(20)
    services = ', services: ["127.0.0.1:%d"]' % house.services_port
    assert services in config_of(house)
    house.write("httpcgd.yaml", config_of(house).replace(services, ", services: []"))
    house.process = subprocess.Popen(
        [DAEMON, "--config", house.path("httpcgd.yaml")], stdout=house.errors, stderr=house.errors, cwd=house.folder
    )
    house.wait_until_serving()
    with Connection(house) as connection:
        grant = connection.grant(Wallet())
        before = len(house.backend.seen)
        assert grant.sign("GET", house.site + "/pay/1", mode="hybrid").send().code == "not-implemented"
        assert len(house.backend.seen) == before
        # What fits into a field needs nobody to fetch it.
        assert grant.sign("GET", house.site + "/order/1", mode="ed25519").send().status == 200
        (seen,) = house.backend.seen[before:]
        assert seen.values("x-httpcg-evidence") and not seen.values("x-httpcg-wallet-doc-ref")


def test_a_profile_that_asks_for_evidence_by_a_mac_is_none(house):
    """The name is not served, whatever the ledger took."""
    rules = [rule("/**", sapi="grant", evidence=True)]
    document = issue(house.owner.key, "policy", profile(house.owner, rules, "macs"))
    status, _ = house.ask("POST", "/submit", document, "application/cbor")
    assert status in (400, 422)
