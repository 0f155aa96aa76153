"""The program httpcg, as somebody runs it who trusts the house's log and registry."""
import json
import os
import shutil
import subprocess
import tempfile

from house import BUILD
from rogue import Wallet

PROGRAM = os.path.join(BUILD, "httpcg")


class Client:
    def __init__(self, house):
        self.house, self.wallet = house, Wallet()
        self.folder = tempfile.mkdtemp(prefix="client-", dir=house.folder)
        self.put("wallet.hck", house.key_file(self.wallet.key.seed, "identity", self.wallet.address))
        self.put("wallet.doc", self.wallet.doc)
        self.put("passphrase", b"secret")
        self.trust()

    def put(self, name, content):
        path = os.path.join(self.folder, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        return path

    def trust(self, **how):
        self.put("trust.conf", self.house.trust(**how).encode())

    def trust_text(self):
        with open(os.path.join(self.folder, "trust.conf")) as file:
            return file.read()

    def run(self, *words):
        """(exit code, standard output, the --json document about it)."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("HTTPCG_")}
        done = subprocess.run([PROGRAM, *words, "--home", self.folder, "--json"], env=environment, timeout=60,
                              stdin=subprocess.DEVNULL, capture_output=True)
        told = done.stderr if b"{" in done.stderr else done.stdout
        try:
            said = json.loads(told[told.index(b"{"):])
        except ValueError:
            said = {"problem": done.stderr.decode(errors="replace")}
        assert b"Sanitizer" not in done.stderr and b"runtime error" not in done.stderr, done.stderr.decode()
        return done.returncode, done.stdout, said

    def fetch(self, site, port=None, path="/x"):
        """The words of a fetch, through whoever listens on that port in the gateway's place."""
        return ["httpcg://app/" + site + path, "--passphrase-file", os.path.join(self.folder, "passphrase"),
                "--connect-to", "::127.0.0.1:%d" % (port or self.house.native_port)]

    def words(self, site):
        """The whole command, for a shell."""
        return [PROGRAM, *self.fetch(site), "--home", self.folder, "--fail"]

    def get(self, site, port=None, *words, path="/x"):
        return self.run(*self.fetch(site, port, path), *words)

    def failed(self, said):
        """The checks that failed, by their words."""
        return [check["check"] for check in said.get("checks", []) if not check["ok"]]

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)
