#!/usr/bin/env python3
"""Writes digest256.json: SHA-256 and SHA-256-sess (RFC 7616, RFC 8760), by Python's hashlib."""
import hashlib
import json
import random

rng = random.Random(8760)


def h(*parts):
    return hashlib.sha256(b":".join(p if isinstance(p, bytes) else p.encode() for p in parts)).hexdigest()


def case(ident, **c):
    body, rsp_body = bytes.fromhex(c["body"]), bytes.fromhex(c["rsp_body"])
    ha1 = h(c["username"], c["realm"], c["password"])
    if c["algorithm"] == "SHA-256-sess":
        ha1 = h(ha1, c["nonce"], c["cnonce"])

    def digest(method, entity):
        a2 = [method, c["uri"]]
        if c["qop"] == "auth-int":
            a2.append(hashlib.sha256(entity).hexdigest())
        if c["qop"]:
            return h(ha1, c["nonce"], c["nc"], c["cnonce"], c["qop"], h(*a2))
        return h(ha1, c["nonce"], h(*a2))

    c |= {"ha1": ha1, "response": digest(c["method"], body), "rspauth": digest("", rsp_body)}
    www = 'Digest realm="%(realm)s", nonce="%(nonce)s", opaque="%(opaque)s", algorithm=%(algorithm)s' % c
    auth = ('Digest username="%(username)s", realm="%(realm)s", nonce="%(nonce)s", uri="%(uri)s", '
            'response="%(response)s", algorithm=%(algorithm)s, opaque="%(opaque)s"' % c)
    info = 'rspauth="%(rspauth)s"' % c
    if c["qop"]:
        www += ', qop="%s"' % ("auth,auth-int" if c["qop"] == "auth-int" else c["qop"])
        auth += ', qop=%(qop)s, nc=%(nc)s' % c
        info += ', qop=%(qop)s, cnonce="%(cnonce)s", nc=%(nc)s' % c
    if c["cnonce"]:
        auth += ', cnonce="%(cnonce)s"' % c
    if c["nextnonce"]:
        info += ', nextnonce="%(nextnonce)s"' % c
    return {"id": ident} | c | {"www_authenticate": www, "authorization": auth, "authentication_info": info}


def token(n):
    return "".join(rng.choice("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=") for _ in range(n))


def random_case(algorithm, qop, i):
    sess = algorithm.endswith("-sess")
    user, home = token(8).replace("/", "x").replace("=", "y").replace("+", "z"), "home%d.example" % (i % 3)
    return case("%s-%s-%02d" % (algorithm.lower(), qop or "none", i), algorithm=algorithm, qop=qop,
                opaque=token(16), nc="%08x" % rng.choice([1, 2, 10, 255, 256]) if qop else None,
                cnonce=token(rng.choice([1, 8, 32])) if qop or sess else None,
                nextnonce=token(24) if rng.random() < 0.5 else None,
                password=rng.choice(["", "geheim", "pass word", "p\u00e4\u00df:\"wort", token(200)]),
                body=rng.randbytes(40).hex() if qop == "auth-int" else "",
                rsp_body=rng.randbytes(30).hex() if qop == "auth-int" else "",
                username="%s@%s" % (user, home), realm=home, nonce=token(32),
                uri=rng.choice(["sip:" + home, "sip:%s@%s" % (user, home), "sips:" + home]),
                method=rng.choice(["REGISTER", "REGISTER", "INVITE", "MESSAGE"]))


cases = [case("rfc7616-3.9.1-sha256", algorithm="SHA-256", qop="auth",
              opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", nc="00000001",
              cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", nextnonce=None, password="Circle of Life",
              body="", rsp_body="", username="Mufasa", realm="http-auth@example.org",
              nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html", method="GET")]
# the response that RFC 7616 prints
assert cases[0]["response"] == "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
for i in range(24):
    cases.append(random_case(["SHA-256", "SHA-256-sess"][i % 2], [None, "auth", "auth-int"][i // 2 % 3], i))

with open("digest256.json", "w") as f:
    f.write('{"format": "ims-digest", "version": 1, "set": "own", "cases": [\n')
    f.write(",\n".join(json.dumps(c) for c in cases))
    f.write("\n]}\n")
