"""HTTP/2 and HTTP/1.1 above a wire: heads and bodies as given, whatever they are."""
import json
import time

import h2

PATIENCE_S = 10


class Answer:
    """What came back. how: answered, reset (of the stream), ended (the connection), or silence."""

    def __init__(self):
        self.how, self.status, self.fields, self.body, self.trailers = "silence", 0, [], b"", []
        self.reset = None

    def value(self, name):
        values = [v for k, v in self.fields + self.trailers if k == name]
        return values[0] if values else None

    @property
    def problem(self):
        if (self.value("content-type") or "").startswith("application/problem+json"):
            return json.loads(self.body)
        return {}

    @property
    def code(self):
        """The problem's code; an answer that is none gives its status, no answer tells why."""
        if self.how != "answered":
            return self.how
        kind = self.problem.get("type", "")
        return kind.rpartition("/")[2] if kind else self.status

    def __repr__(self):
        return "<%s %s %s %r>" % (self.how, self.status, self.fields, self.body[:300])


class H2:
    is_h2 = True

    def __init__(self, wire, settings=((3, 100), (4, 1 << 24))):
        self.wire = wire
        self.stream = -1
        self.inflater = h2.Inflater()
        self.answers, self.blocks, self.windows = {}, {}, {0: 65535}
        self.window_first = 65535
        self.goaway = None
        self.frames = []  # types of the frames that came, for tests that count
        wire.send(h2.PREFACE + h2.frame(h2.SETTINGS, payload=h2.settings(settings))
                  + h2.frame(h2.WINDOW_UPDATE, payload=(1 << 30).to_bytes(4, "big")))

    # --- sending ---

    def next_stream(self):
        self.stream += 2
        return self.stream

    def open(self, fields, end=True, piece=16384):
        """Sends a head; gives its stream."""
        stream = self.next_stream()
        self.answers[stream] = Answer()
        self.windows[stream] = self.window_first
        self.wire.send(h2.head(stream, fields, end, piece))
        return stream

    def data(self, stream, body, end=True):
        """Sends a body as the server's windows allow; False where it answered or reset before all was sent."""
        at, until = 0, time.monotonic() + PATIENCE_S
        while at < len(body) or end:
            room = min(self.windows[0], self.windows[stream], 16384)
            piece = body[at:at + max(room, 0)]
            at += len(piece)
            last = end and at == len(body)
            if piece or last:
                self.windows[0] -= len(piece)
                self.windows[stream] -= len(piece)
                self.wire.send(h2.frame(h2.DATA, h2.END_STREAM if last else 0, stream, piece))
                if last:
                    return True
            elif time.monotonic() > until or self.answers[stream].how != "silence" or not self.step(0.5):
                if self.answers[stream].how != "silence" or time.monotonic() > until or self.wire.ended:
                    return False
        return True

    def trailers(self, stream, fields):
        self.wire.send(h2.head(stream, fields, True))

    # --- receiving ---

    def step(self, seconds):
        """Takes one frame; None where none came."""
        whole = self.wire.take(lambda held: len(held) >= 9 and len(held) >= 9 + int.from_bytes(held[:3], "big")
                               and 9 + int.from_bytes(held[:3], "big") or None, seconds)
        if whole is None:
            return None
        type, flags = whole[3], whole[4]
        stream, payload = int.from_bytes(whole[5:9], "big"), whole[9:]
        self.frames.append(type)
        if flags & h2.PADDED and type in (h2.DATA, h2.HEADERS):
            payload = payload[1:len(payload) - payload[0]]
        self._handle(type, flags, stream, payload)
        return type

    def _handle(self, type, flags, stream, payload):
        answer = self.answers.get(stream)
        if type == h2.SETTINGS and not flags & h2.ACK:
            for at in range(0, len(payload), 6):
                key, value = int.from_bytes(payload[at:at + 2], "big"), int.from_bytes(payload[at + 2:at + 6], "big")
                if key == 4:
                    for open_stream in self.answers:
                        self.windows[open_stream] += value - self.window_first
                    self.window_first = value
            self.wire.send(h2.frame(h2.SETTINGS, h2.ACK))
        elif type == h2.PING and not flags & h2.ACK:
            self.wire.send(h2.frame(h2.PING, h2.ACK, payload=payload))
        elif type == h2.WINDOW_UPDATE:
            self.windows[stream] = self.windows.get(stream, 0) + int.from_bytes(payload, "big")
        elif type == h2.GOAWAY:
            self.goaway = int.from_bytes(payload[4:8], "big")
        elif type == h2.RST_STREAM and answer:
            answer.reset = int.from_bytes(payload, "big")
            if answer.how == "silence":
                answer.how = "reset"
        elif type in (h2.HEADERS, h2.CONTINUATION):
            self.blocks[stream] = self.blocks.get(stream, b"") + payload
            if flags & h2.END_HEADERS:
                fields = self.inflater.read(self.blocks.pop(stream))
                if answer and answer.status:
                    answer.trailers = fields
                elif answer and fields[0][1][0] != "1":
                    answer.status = int(fields[0][1])
                    answer.fields = fields[1:]
        elif type == h2.DATA:
            if answer:
                answer.body += payload
            if payload:
                self.wire.send(h2.frame(h2.WINDOW_UPDATE, 0, 0, len(payload).to_bytes(4, "big")))
                if not flags & h2.END_STREAM:
                    self.wire.send(h2.frame(h2.WINDOW_UPDATE, 0, stream, len(payload).to_bytes(4, "big")))
        if answer and flags & h2.END_STREAM and type in (h2.DATA, h2.HEADERS):
            answer.how = "answered"

    def answer(self, stream, seconds=PATIENCE_S):
        """Waits for the answer to a stream's request."""
        until = time.monotonic() + seconds
        answer = self.answers[stream]
        while answer.how == "silence" and time.monotonic() < until:
            if self.step(until - time.monotonic()) is None and self.wire.ended:
                answer.how = "ended"
        return answer

    # --- both ---

    def native(self, method, plane, target, fields, body=b"", trailers=None):
        """A native request; fields are sent as they are."""
        return self._exchange([(":method", method), (":scheme", "httpcg"), (":authority", plane),
                               (":path", "/" + target), *fields], body, trailers)

    def control(self, method, name, path, fields=(), body=b""):
        """A request for one of the gateway's own resources."""
        return self._exchange([(":method", method), (":scheme", "https"), (":authority", name),
                               (":path", path), *fields], body, None)

    def _exchange(self, fields, body, trailers):
        stream = self.open(fields, end=not body and trailers is None)
        if body:
            self.data(stream, body, end=trailers is None)
        if trailers is not None:
            self.trailers(stream, trailers)
        return self.answer(stream)


class H1:
    is_h2 = False

    def __init__(self, wire):
        self.wire = wire

    def send(self, raw):
        self.wire.send(raw)

    def answer(self, seconds=PATIENCE_S, to_head=False):
        """Reads one answer; none before the connection's end is how: ended."""
        answer = Answer()
        while answer.status < 200:
            end = self.wire.take(lambda held: held.find(b"\r\n\r\n") + 4 if b"\r\n\r\n" in held else None, seconds)
            if end is None:
                answer.how = "ended" if self.wire.ended else "silence"
                return answer
            first, *lines = end[:-4].decode("latin-1").split("\r\n")
            answer.status = int(first.split(" ")[1])
        answer.fields = [(k.lower(), v.strip()) for k, _, v in (line.partition(":") for line in lines)]
        answer.how = "answered"
        if to_head or answer.status in (204, 304):
            return answer
        if answer.value("transfer-encoding"):
            self._chunked(answer, seconds)
        elif answer.value("content-length"):
            answer.body = self._take(int(answer.value("content-length")), seconds, answer)
        return answer

    def _take(self, n, seconds, answer):
        got = self.wire.take(lambda held: n if len(held) >= n else None, seconds)
        if got is None:
            answer.how = "ended"
        return got or b""

    def _line(self, seconds, answer):
        got = self.wire.take(lambda held: held.find(b"\r\n") + 2 if b"\r\n" in held else None, seconds)
        if got is None:
            answer.how = "ended"
        return (got or b"")[:-2]

    def _chunked(self, answer, seconds):
        while answer.how == "answered":
            size = int(self._line(seconds, answer) or b"0", 16)
            if size == 0:
                break
            answer.body += self._take(size, seconds, answer)
            self._line(seconds, answer)
        line = self._line(seconds, answer)
        while line:
            k, _, v = line.decode("latin-1").partition(":")
            answer.trailers.append((k.lower(), v.strip()))
            line = self._line(seconds, answer)

    @staticmethod
    def head(first, fields):
        lines = [first] + ["%s: %s" % (k, v) for k, v in fields]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"

    def native(self, method, plane, target, fields, body=b"", trailers=None):
        first = "%s httpcg://%s/%s HTTP/1.1" % (method, plane, target)
        fields = [("Host", plane), *fields]
        if trailers is not None:
            chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
            tail = b"0\r\n" + "".join("%s: %s\r\n" % pair for pair in trailers).encode("latin-1") + b"\r\n"
            self.send(self.head(first, [*fields, ("Transfer-Encoding", "chunked")]) + chunk + tail)
        else:
            if (body or method in ("POST", "PUT", "PATCH")) and not any(k == "content-length" for k, _ in fields):
                fields.append(("Content-Length", len(body)))
            self.send(self.head(first, fields) + body)
        return self.answer(to_head=method == "HEAD")

    def control(self, method, name, path, fields=(), body=b""):
        fields = [("Host", name), *fields]
        if body:
            fields.append(("Content-Length", len(body)))
        self.send(self.head("%s %s HTTP/1.1" % (method, path), fields) + body)
        return self.answer()


