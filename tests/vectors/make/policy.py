#!/usr/bin/env python3
"""Makes tests/vectors/policy.json: policies with their CBOR and hash, what is refused of them, the
table of patterns and paths, the table of decisions, and a role credential."""
import base64
import copy
import json
import os
import re

from forms import H, TUP, cbor, u, write

v1 = json.load(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "v1.json")))
ALICE, BOB = v1["wallet"]["waddr"], v1["gateway"]["did"][8:]
OWNER = "did:bpi:" + BOB
NOW = 1795366003

rbac = {
    "v": 1, "kind": "rbac", "name": "web-default", "owner": OWNER, "version": 3,
    "tls": {"min": "1.3", "groups": ["X25519MLKEM768"]}, "default": "deny", "conceal": False,
    "roles": [{"role": "staff", "wallets": [ALICE], "until": 1800000000}, {"role": "auditor", "wallets": []}],
    "rules": [
        {"methods": ["GET", "HEAD"], "path": "/public/**", "roles": ["anonymous"], "sapi": "none", "rate": {"per_min": 600, "burst": 60}},
        {"methods": ["GET", "POST"], "path": "/api/**", "roles": ["any-wallet"], "sapi": "grant", "rate": {"per_min": 300, "burst": 30}},
        {"methods": ["POST", "DELETE"], "path": "/admin/**", "roles": ["staff"], "sapi": "hybrid", "evidence": True, "max_rtt_us": 0,
         "stream": False, "body_modes": [1], "max_body": 1048576, "rate": {"per_min": 30, "burst": 5}},
        {"methods": ["GET"], "path": "/log/*", "roles": ["auditor", "staff"], "sapi": "ed25519", "receipt": True, "max_rtt_us": 333},
        {"methods": ["PUT"], "path": "/api/stream", "roles": ["any-wallet"], "sapi": "grant", "stream": True, "body_modes": [2]}],
    "web2": {"allow": False}, "padding": 1, "max_checkpoint_age": 21600}
least = {"v": 1, "kind": "rbac", "name": "p", "owner": OWNER, "version": 1,
         "rules": [{"methods": ["GET"], "path": "/**", "roles": ["anonymous"], "sapi": "none"}]}
gateway = {
    "v": 1, "kind": "gateway", "name": "gw-default", "owner": OWNER, "version": 2,
    "tls": {"min": "1.3", "groups": ["X25519MLKEM768"]}, "sapi_min": "grant", "planes": ["app", "m2m"], "padding": 2, "max_epochs": 10,
    "audit_days": 365, "max_checkpoint_age": 3600,
    "backend_keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "backend-1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}
concealed = {**copy.deepcopy(rbac), "conceal": True}
public = {**copy.deepcopy(least), "rules": [
    {"methods": ["GET"], "path": "/", "roles": ["anonymous"], "sapi": "none"},
    {"methods": ["GET", "POST"], "path": "/form", "roles": ["anonymous"], "sapi": "none", "max_body": 100}]}
near = {**copy.deepcopy(least), "rules": [
    {"methods": ["GET", "POST"], "path": "/near/**", "roles": ["anonymous"], "sapi": "none", "max_rtt_us": 500, "body_modes": [1], "max_body": 10},
    {"methods": ["POST", "PUT", "GET"], "path": "/near/x", "roles": ["anonymous"], "sapi": "none"}]}


def address(name):
    """A wallet address that nobody has keys of."""
    h = H(name)
    return base64.b32encode(h + H(TUP("httpcg-waddr-chk/v1", h, u(8, 1)))[:2] + b"\1").decode().lower()


# In falling order, so that a reader who searches them has to sort them himself.
MEMBERS = sorted((address(b"member %d" % i) for i in range(9)), reverse=True)
many = {**copy.deepcopy(least), "roles": [{"role": "member", "wallets": MEMBERS}],
        "rules": [{"methods": ["GET"], "path": "/", "roles": ["member"], "sapi": "grant"}]}
proved = {**copy.deepcopy(least), "rules": [
    {"methods": ["POST"], "path": "/order", "roles": ["any-wallet"], "sapi": "ed25519", "evidence": True},
    {"methods": ["POST"], "path": "/note", "roles": ["any-wallet"], "sapi": "grant", "evidence": False, "stream": True}]}
policies = {"rbac": rbac, "least": least, "gateway": gateway, "concealed": concealed, "public": public, "near": near,
            "near, concealed": {**copy.deepcopy(near), "conceal": True}, "many": many, "proved": proved}


def text(p):
    return json.dumps(p, separators=(",", ":"))


def policy_hash(p):
    return H(TUP("httpcg-policy/v1", cbor(p)))


def changed(base, path, value):
    """A copy with the member at a dotted path replaced; None takes it away."""
    p = copy.deepcopy(base)
    at, names = p, path.split(".")
    for name in names[:-1]:
        at = at[int(name)] if isinstance(at, list) else at[name]
    last = int(names[-1]) if isinstance(at, list) else names[-1]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return text(p)


def bad(why, error, where, t):
    return {"why": why, "error": error, "where": where, "json": t}


R = "rules.0."
bads = [
    bad("no " + k, "SCHEMA", "*", changed(rbac, k, None)) for k in ("v", "kind", "name", "owner", "version", "rules")
] + [
    bad("gateway without " + k, "SCHEMA", "*", changed(gateway, k, None)) for k in ("v", "kind", "name", "owner", "version")
] + [
    bad("an unknown member behind all others", "SCHEMA", "*", changed(rbac, "z" * 19, 1)),
    bad("an unknown member behind all others of a rule", "SCHEMA", "rules[0]", changed(rbac, "rules.0." + "z" * 11, 1)),
    bad("gateway with an unknown member behind all others", "SCHEMA", "*", changed(gateway, "z" * 19, 1)),
    bad("version 2 of the schema", "VERSION", "v", changed(rbac, "v", 2)),
    bad("unknown kind", "SCHEMA", "kind", changed(rbac, "kind", "acl")),
    bad("a member more", "SCHEMA", "*", changed(rbac, "note", "x")),
    bad("a short member more", "SCHEMA", "*", changed(rbac, "a", 1)),
    bad("a gateway's member", "SCHEMA", "*", changed(rbac, "sapi_min", "grant")),
    bad("a profile's member", "SCHEMA", "*", changed(gateway, "rules", rbac["rules"])),
    bad("a member twice", "SCHEMA", "", text(rbac)[:-1] + ',"padding":1}'),
    bad("name with a slash", "SCHEMA", "name", changed(rbac, "name", "a/b")),
    bad("no letters in the name", "SCHEMA", "name", changed(rbac, "name", "")),
    bad("name of 64 characters", "TOO_LARGE", "name", changed(rbac, "name", "a" * 64)),
    bad("owner without did:bpi:", "SYNTAX", "owner", changed(rbac, "owner", BOB + "12345678")),
    bad("owner mistyped", "MISMATCH", "owner", changed(rbac, "owner", OWNER[:20] + ("a" if OWNER[20] != "a" else "b") + OWNER[21:])),
    bad("version 0", "SCHEMA", "version", changed(rbac, "version", 0)),
    bad("version as text", "SCHEMA", "version", changed(rbac, "version", "3")),
    bad("TLS 1.2", "SCHEMA", "tls", changed(rbac, "tls.min", "1.2")),
    bad("another group", "SCHEMA", "tls", changed(rbac, "tls.groups", ["X25519"])),
    bad("two groups", "SCHEMA", "tls", changed(rbac, "tls.groups", ["X25519MLKEM768", "X25519"])),
    bad("default allow", "SCHEMA", "default", changed(rbac, "default", "allow")),
    bad("conceal as a number", "SCHEMA", "conceal", changed(rbac, "conceal", 1)),
    bad("padding 4", "SCHEMA", "padding", changed(rbac, "padding", 4)),
    bad("max_checkpoint_age 0", "SCHEMA", "max_checkpoint_age", changed(rbac, "max_checkpoint_age", 0)),
    bad("max_checkpoint_age over a day", "SCHEMA", "max_checkpoint_age", changed(rbac, "max_checkpoint_age", 86401)),
    bad("web2 as true", "SCHEMA", "web2", changed(rbac, "web2", True)),
    bad("web2 with more", "SCHEMA", "web2", changed(rbac, "web2", {"allow": True, "x": 1})),
    bad("no rules", "SCHEMA", "rules", changed(rbac, "rules", [])),
    bad("257 rules", "SCHEMA", "rules", changed(rbac, "rules", rbac["rules"][:1] * 257)),
    bad("a rule that is text", "SCHEMA", "rules", changed(rbac, "rules.0", "x")),
    bad("65 roles", "SCHEMA", "roles", changed(rbac, "roles", [{"role": "r%d" % i, "wallets": []} for i in range(65)])),
    bad("role anonymous", "SCHEMA", "roles[0].role", changed(rbac, "roles.0.role", "anonymous")),
    bad("role any-wallet", "SCHEMA", "roles[0].role", changed(rbac, "roles.0.role", "any-wallet")),
    bad("role in capitals", "SCHEMA", "roles[0].role", changed(rbac, "roles.0.role", "Staff")),
    bad("role without wallets", "SCHEMA", "*", changed(rbac, "roles.0.wallets", None)),
    bad("role with more", "SCHEMA", "*", changed(rbac, "roles.0.since", 1)),
    bad("a wallet mistyped", "MISMATCH", "roles[0].wallets", changed(rbac, "roles.0.wallets", [ALICE[:9] + ("a" if ALICE[9] != "a" else "b") + ALICE[10:]])),
    bad("a wallet as DID", "TOO_LARGE", "roles[0].wallets", changed(rbac, "roles.0.wallets", ["did:bpi:" + ALICE])),
    bad("a rule's role not declared", "SCHEMA", "rules[2].roles", changed(rbac, "rules.2.roles", ["stuff"])),
] + [
    bad("rule without " + k, "SCHEMA", "*", changed(rbac, R + k, None)) for k in ("methods", "path", "roles", "sapi")
] + [
    bad("rule with more", "SCHEMA", "*", changed(rbac, R + "note", "x")),
    bad("no methods", "SCHEMA", "rules[0].methods", changed(rbac, R + "methods", [])),
    bad("17 methods", "SCHEMA", "rules[0].methods", changed(rbac, R + "methods", ["GET"] * 17)),
    bad("method in small letters", "SCHEMA", "rules[0].methods", changed(rbac, R + "methods", ["get"])),
    bad("CONNECT", "SCHEMA", "rules[0].methods", changed(rbac, R + "methods", ["CONNECT"])),
    bad("TRACE", "SCHEMA", "rules[0].methods", changed(rbac, R + "methods", ["GET", "TRACE"])),
    bad("any method", "SCHEMA", "rules[0].methods", changed(rbac, R + "methods", ["*"])),
    bad("no roles in a rule", "SCHEMA", "rules[0].roles", changed(rbac, R + "roles", [])),
    bad("anonymous and signed", "SCHEMA", "rules[0].sapi", changed(rbac, R + "sapi", "grant")),
    bad("any wallet and unsigned", "SCHEMA", "rules[1].sapi", changed(rbac, "rules.1.sapi", "none")),
    bad("unknown mode", "SCHEMA", "rules[0].sapi", changed(rbac, R + "sapi", "mac")),
    bad("rate 0", "SCHEMA", "rules[0].rate", changed(rbac, R + "rate", {"per_min": 0, "burst": 1})),
    bad("burst 0", "SCHEMA", "rules[0].rate", changed(rbac, R + "rate", {"per_min": 1, "burst": 0})),
    bad("rate without burst", "SCHEMA", "rules[0].rate", changed(rbac, R + "rate", {"per_min": 1})),
    bad("body mode 0", "SCHEMA", "rules[2].body_modes", changed(rbac, "rules.2.body_modes", [0])),
    bad("body mode 3", "SCHEMA", "rules[2].body_modes", changed(rbac, "rules.2.body_modes", [3])),
    bad("evidence by a MAC", "SCHEMA", "rules[1].evidence", changed(rbac, "rules.1.evidence", True)),
    bad("evidence of nobody", "SCHEMA", "rules[0].evidence", changed(rbac, "rules.0.evidence", True)),
    bad("evidence of a stream", "SCHEMA", "rules[0].evidence",
        changed(proved, "rules.0.stream", True)),
    bad("a body mode twice", "SCHEMA", "rules[2].body_modes", changed(rbac, "rules.2.body_modes", [1, 1])),
    bad("a stream without mode 2", "SCHEMA", "rules[2].stream", changed(rbac, "rules.2.stream", True)),
    bad("max_body over 2^53-1", "TOO_LARGE", "", changed(rbac, "rules.2.max_body", 2**53)),
    bad("max_rtt_us over a minute", "SCHEMA", "rules[2].max_rtt_us", changed(rbac, "rules.2.max_rtt_us", 60000001)),
    bad("evidence as text", "SCHEMA", "rules[2].evidence", changed(rbac, "rules.2.evidence", "yes")),
] + [
    bad("pattern " + json.dumps(p), "SCHEMA", "rules[0].path", changed(rbac, R + "path", p))
    for p in ("", "public", "**", "/a*", "/*a", "/a/***", "/**a", "/a//b", "/./a", "/../a", "/a/..", "/a?b", "/a#b", "/%7Ea", "/%2fa", "/%2F", "/%00",
              "/a b", "/[a]", "/{a}", "/a%", "/%zz")
] + [
    bad("pattern of 513 characters", "TOO_LARGE", "rules[0].path", changed(rbac, R + "path", "/" + "a" * 512)),
    bad("pattern of 33 segments", "TOO_LARGE", "rules[0].path", changed(rbac, R + "path", "/a" * 33)),
    bad("a plane in capitals", "SCHEMA", "planes", changed(gateway, "planes", ["APP"])),
    bad("a plane twice", "SCHEMA", "planes", changed(gateway, "planes", ["app", "app"])),
    bad("no plane", "SCHEMA", "planes", changed(gateway, "planes", [])),
    bad("an unknown plane", "SCHEMA", "planes", changed(gateway, "planes", ["web"])),
    bad("sapi_min unknown", "SCHEMA", "sapi_min", changed(gateway, "sapi_min", "any")),
    bad("max_epochs 0", "SCHEMA", "max_epochs", changed(gateway, "max_epochs", 0)),
    bad("max_epochs 61", "SCHEMA", "max_epochs", changed(gateway, "max_epochs", 61)),
    bad("audit_days of a century", "SCHEMA", "audit_days", changed(gateway, "audit_days", 36501)),
    bad("five backend keys", "SCHEMA", "backend_keys", changed(gateway, "backend_keys", gateway["backend_keys"] * 5)),
    bad("a backend key cut", "SCHEMA", "backend_keys", changed(gateway, "backend_keys.0.x", gateway["backend_keys"][0]["x"][:-1])),
    bad("a backend key of small order", "KEY", "backend_keys", changed(gateway, "backend_keys.0.x", "A" * 43)),
    bad("a private backend key", "SCHEMA", "backend_keys", changed(gateway, "backend_keys.0.d", "x")),
    bad("a backend key of another curve", "SCHEMA", "backend_keys", changed(gateway, "backend_keys.0.crv", "X25519")),
    bad("not JSON", "SYNTAX", "", "policy"),
    bad("a number with a fraction", "SYNTAX", "", text(rbac).replace('"version":3', '"version":3.0')),
    bad("an escape", "SYNTAX", "", text(rbac).replace("web-default", "web\\u002ddefault")),
    bad("null", "SYNTAX", "", text(rbac).replace('"conceal":false', '"conceal":null')),
    bad("nothing", "SHORT", "", ""),
]
good_edges = [
    changed(rbac, "name", "a" * 63), changed(rbac, "max_checkpoint_age", 86400), changed(rbac, "rules", rbac["rules"][:1] * 256),
    changed(rbac, "roles", rbac["roles"] + [{"role": "r%d" % i, "wallets": []} for i in range(62)]), changed(rbac, R + "methods", ["M-SEARCH"] * 16),
    changed(rbac, R + "path", "/" + "a" * 511), changed(rbac, R + "path", "/a" * 32), changed(rbac, R + "path", "/~a/%20/*/**"),
    changed(rbac, "rules.2.max_body", 2**53 - 1), changed(rbac, "rules.2.body_modes", []), changed(rbac, "rules.2.body_modes", [2, 1]),
    changed(gateway, "max_epochs", 60), changed(gateway, "backend_keys", gateway["backend_keys"] * 4), changed(gateway, "backend_keys", []),
    changed(gateway, "planes", ["m2m", "wallet", "gw", "bpi", "app"]), json.dumps(rbac, indent=2), json.dumps(dict(reversed(list(rbac.items())))),
]


def matches(pattern, path):
    """'*' is one segment, not an empty one; '**' any number of whole segments."""
    expression = ""
    for segment in pattern[1:].split("/"):
        expression += "(/[^/]*)*" if segment == "**" else "/[^/]+" if segment == "*" else "/" + re.escape(segment)
    return re.fullmatch(expression, path) is not None


patterns = ["/", "/a", "/a/", "/*", "/*/", "/**", "/**/", "/a/*", "/a/**", "/*/b", "/**/b", "/a/*/c", "/a/**/c", "/a/**/**", "/**/a/**", "/a/**/b/**/c",
            "/a/**/b/*/c", "/*/*", "/**/*", "/*/**", "/%20/x", "/A"]
paths = ["/", "/a", "/a/", "/b", "/ab", "/a/b", "/a/b/", "/a/c", "/a/b/c", "/a/b/c/", "/a/b/x/c", "/a/b/b/c", "/a/x/b/y/c", "/a/b/b/x/c", "/a/x/y/z",
         "/b/a", "/b/a/b", "/x/y/z/b", "/b/", "/%20/x", "/%2520/x", "/A", "/a/**", "/*"]
rows = [{"pattern": p, "path": s, "match": "yes" if matches(p, s) else ""} for p in patterns for s in paths]


def ask(policy, method, path, want, wallet="", mode="none", scope="*", body_mode=0, body_len=0, rtt=0, now=NOW, least="none", creds=(), needs="", allow="", rule=-1):
    return {"policy": policy, "method": method, "path": path, "want": want, "wallet": wallet, "mode": mode, "scope": scope, "body_mode": str(body_mode),
            "body_len": str(body_len), "rtt_us": str(rtt), "now": str(now), "least": least, "creds": list(creds), "needs": needs, "allow": allow,
            "rule": str(rule)}


def cred(role="auditor", wallet=BOB, owner=OWNER, aud="web-default", until=NOW + 1):
    return {"role": role, "wallet": wallet, "owner": owner, "aud": aud, "until": str(until)}


A = {"wallet": ALICE}
B = {"wallet": BOB}
admin = dict(A, mode="hybrid", body_mode=1)
log = dict(B, mode="ed25519", rtt=333)
decisions = [
    # nobody signed: what is open is open, all else looks alike
    ask("rbac", "GET", "/public/a", "OK", rule=0), ask("rbac", "HEAD", "/public", "OK", rule=0), ask("rbac", "POST", "/public/a", "NEEDS_AUTH"),
    ask("rbac", "GET", "/api/x", "NEEDS_AUTH"), ask("rbac", "GET", "/nothing", "NEEDS_AUTH"), ask("rbac", "DELETE", "/api/x", "NEEDS_AUTH"),
    ask("rbac", "GET", "/", "NEEDS_AUTH"), ask("rbac", "POST", "/admin/x", "NEEDS_AUTH"),
    # where nothing asks for a signature there is nothing to hide
    ask("public", "GET", "/", "OK", rule=0), ask("public", "POST", "/", "METHOD", allow="GET"), ask("public", "DELETE", "/form", "METHOD", allow="GET, POST"),
    ask("public", "GET", "/nothing", "NO_RULE"), ask("public", "POST", "/form", "OK", body_mode=1, body_len=100, rule=1),
    ask("public", "POST", "/form", "TOO_LARGE", body_mode=1, body_len=101, rule=1),
    # signed
    ask("rbac", "GET", "/public/a", "OK", rule=0, **A, mode="grant"), ask("rbac", "GET", "/api/x", "OK", rule=1, **B, mode="grant"),
    ask("rbac", "GET", "/api", "OK", rule=1, **A, mode="hybrid"), ask("rbac", "GET", "/nothing", "NO_RULE", **A, mode="grant"),
    ask("rbac", "GET", "/apix", "NO_RULE", **A, mode="grant"), ask("rbac", "PATCH", "/api/x", "METHOD", **A, mode="grant", allow="GET, POST"),
    ask("rbac", "PATCH", "/api/stream", "METHOD", **A, mode="grant", allow="GET, POST, PUT"), ask("rbac", "get", "/api/x", "METHOD", **A, mode="grant", allow="GET, POST"),
    ask("rbac", "POST", "/admin/x", "STEP_UP", **A, mode="grant", body_mode=1, needs="hybrid", rule=2),
    ask("rbac", "POST", "/admin/x", "STEP_UP", **A, mode="ed25519", body_mode=1, needs="hybrid", rule=2),
    ask("rbac", "POST", "/admin/x", "OK", **admin, rule=2), ask("rbac", "POST", "/admin/x", "DENIED", **B, mode="hybrid", body_mode=1, rule=2),
    # not a role, and a weaker signature: the role counts first
    ask("rbac", "POST", "/admin/x", "DENIED", **B, mode="grant", body_mode=1, rule=2),
    # a policy of the gateway, or a step-up, asks for more
    ask("rbac", "GET", "/api/x", "STEP_UP", **A, mode="grant", least="hybrid", needs="hybrid", rule=1),
    ask("rbac", "GET", "/api/x", "OK", **A, mode="hybrid", least="hybrid", rule=1), ask("rbac", "GET", "/public/a", "OK", **A, mode="grant", least="hybrid", rule=0),
    ask("rbac", "POST", "/admin/x", "STEP_UP", **A, mode="ed25519", least="grant", body_mode=1, needs="hybrid", rule=2),
    # roles end
    ask("rbac", "POST", "/admin/x", "OK", **dict(admin, now=1799999999), rule=2), ask("rbac", "POST", "/admin/x", "DENIED", **dict(admin, now=1800000000), rule=2),
    # credentials
    ask("rbac", "GET", "/log/1", "DENIED", **log, rule=3), ask("rbac", "GET", "/log/1", "OK", **log, creds=[cred()], rule=3),
    ask("rbac", "GET", "/log/1", "DENIED", **log, creds=[cred(until=NOW)], rule=3), ask("rbac", "GET", "/log/1", "DENIED", **log, creds=[cred(role="staf")], rule=3),
    ask("rbac", "GET", "/log/1", "DENIED", **log, creds=[cred(wallet=ALICE)], rule=3), ask("rbac", "GET", "/log/1", "DENIED", **log, creds=[cred(aud="web")], rule=3),
    ask("rbac", "GET", "/log/1", "DENIED", **log, creds=[cred(owner="did:bpi:" + ALICE)], rule=3),
    ask("rbac", "GET", "/log/1", "OK", **log, creds=[cred(wallet=ALICE), cred(role="staff")], rule=3),
    # distance
    ask("rbac", "GET", "/log/1", "DENIED", **dict(log, rtt=334), creds=[cred()], rule=3), ask("rbac", "GET", "/log/1", "DENIED", **dict(log, rtt=0), creds=[cred()], rule=3),
    ask("rbac", "GET", "/log/1", "OK", **A, mode="ed25519", rtt=1, rule=3),
    # bodies
    ask("rbac", "POST", "/admin/x", "DENIED", **dict(admin, body_mode=2), rule=2), ask("rbac", "POST", "/admin/x", "OK", **dict(admin, body_mode=0), rule=2),
    ask("rbac", "POST", "/admin/x", "OK", **admin, body_len=1048576, rule=2), ask("rbac", "POST", "/admin/x", "TOO_LARGE", **admin, body_len=1048577, rule=2),
    ask("rbac", "PUT", "/api/stream", "OK", **A, mode="grant", body_mode=2, rule=4), ask("rbac", "PUT", "/api/stream", "DENIED", **A, mode="grant", body_mode=1, rule=4),
    ask("rbac", "POST", "/api/x", "OK", **A, mode="grant", body_mode=2, body_len=2**53, rule=1),
    # what shall be evidence says all of it before its body
    ask("proved", "POST", "/order", "OK", **A, mode="ed25519", body_mode=1, rule=0), ask("proved", "POST", "/order", "OK", **A, mode="hybrid", rule=0),
    ask("proved", "POST", "/order", "DENIED", **A, mode="hybrid", body_mode=2, rule=0),
    ask("proved", "POST", "/order", "STEP_UP", **A, mode="grant", body_mode=1, needs="ed25519", rule=0),
    ask("proved", "POST", "/note", "OK", **A, mode="grant", body_mode=2, rule=1),
    # scope
    ask("rbac", "GET", "/api/x", "OK", **A, mode="grant", scope="app/shop.example", rule=1), ask("rbac", "GET", "/api/x", "SCOPE", **A, mode="grant", scope="app/shop.exampl", rule=1),
    ask("rbac", "GET", "/api/x", "SCOPE", **A, mode="grant", scope="app/shop.example2", rule=1), ask("rbac", "GET", "/api/x", "SCOPE", **A, mode="grant", scope="m2m/shop.example", rule=1),
    ask("rbac", "GET", "/public/a", "SCOPE", **A, mode="grant", scope="app/other.example", rule=0), ask("rbac", "GET", "/nothing", "SCOPE", **A, mode="grant", scope=""),
    ask("rbac", "GET", "/public/a", "OK", scope="", rule=0),
    # concealed: whoever may not, finds nothing
    ask("concealed", "POST", "/admin/x", "NOT_FOUND", **B, mode="hybrid", body_mode=1, rule=2), ask("concealed", "POST", "/admin/x", "OK", **admin, rule=2),
    ask("concealed", "GET", "/admin/x", "NOT_FOUND", **B, mode="hybrid"), ask("concealed", "GET", "/admin/x", "METHOD", **A, mode="hybrid", allow="POST, DELETE"),
    ask("concealed", "GET", "/api/x", "NOT_FOUND", **A, mode="grant", scope="app/other.example", rule=1), ask("concealed", "GET", "/log/1", "NOT_FOUND", **dict(A, mode="ed25519", rtt=334), rule=3),
    ask("concealed", "GET", "/api/x", "NEEDS_AUTH"), ask("concealed", "POST", "/admin/x", "STEP_UP", **A, mode="grant", body_mode=1, needs="hybrid", rule=2),
    # open to everybody who is near
    ask("near", "GET", "/near", "OK", rtt=500, rule=0), ask("near", "GET", "/near", "DENIED", rtt=501, rule=0), ask("near", "GET", "/near", "DENIED", rtt=0, rule=0),
    ask("near, concealed", "GET", "/near", "NOT_FOUND", rtt=501, rule=0), ask("near, concealed", "GET", "/near", "OK", rtt=1, rule=0),
    ask("near", "POST", "/near", "DENIED", rtt=1, body_mode=2, rule=0), ask("near", "POST", "/near", "OK", rtt=1, body_mode=1, body_len=10, rule=0),
    ask("near", "POST", "/near", "TOO_LARGE", rtt=1, body_mode=1, body_len=11, rule=0), ask("near", "PUT", "/near/x", "OK", rule=1),
    # each method once, whichever rules have it
    ask("near", "DELETE", "/near/x", "METHOD", allow="GET, POST, PUT"),
    # each of many members, and nobody else
    *[ask("many", "GET", "/", "OK", wallet=member, mode="grant", rule=0) for member in MEMBERS], ask("many", "GET", "/", "DENIED", **A, mode="grant", rule=0),
    # a gateway's policy has no rules
    ask("gateway", "GET", "/", "NO_RULE"), ask("gateway", "GET", "/", "NO_RULE", **A, mode="hybrid"),
]
credential = {"v": 1, "owner": OWNER, "aud": "web-default", "role": "auditor", "wallet": BOB, "until": NOW + 3600, "nonce": bytes(range(16))}

write("policy", {
    "note": "Policies. hash is of TUP('httpcg-policy/v1'; cbor). where is the member that a refusal names ('*': any). Decisions are for "
            "app/shop.example; scope '' covers nothing. Made by make/policy.py.",
    "policies": {name: {"json": text(p), "cbor": cbor(p).hex(), "hash": policy_hash(p).hex()} for name, p in policies.items()},
    "good": [{"json": t} for t in good_edges],
    "bad": bads,
    "matches": rows,
    "decisions": decisions,
    "credential": {"cbor": cbor(credential).hex(), "role": "auditor", "aud": "web-default", "wallet": BOB, "owner": OWNER, "until": str(NOW + 3600)},
})
