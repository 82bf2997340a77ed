"""Certificates for tests, made by openssl: a CA and what it signs."""

import subprocess


def _openssl(name, folder, subject, *arguments):
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", f"/CN={subject}", "-keyout", key, "-out", certificate, *arguments],
                   check=True, stderr=subprocess.DEVNULL)
    return certificate, key


class Authority:
    """A CA in a folder."""

    def __init__(self, folder, name):
        self._folder = folder
        self.certificate, self.key = _openssl(name, folder, name, "-addext", "keyUsage=critical,keyCertSign")
        self.pem = self.certificate.read_bytes()

    def sign(self, name, *alternative_names, folder=None):
        """(certificate, key) as paths; names as openssl writes them: "DNS:localhost", "IP:127.0.0.1", "URI:spiffe://a/b"."""
        return _openssl(name, folder or self._folder, name, "-CA", self.certificate, "-CAkey", self.key, "-addext",
                        "basicConstraints=critical,CA:FALSE", "-addext",
                        f"subjectAltName={','.join(alternative_names)}")
