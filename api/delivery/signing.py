"""Our signature: who says so, and that not a byte was changed since.

One key pair a service, made on first use and kept with the other keys; its
certificate is our own word unless the operator puts one of an authority in its
place (`keys/signing.pem`: private key, then certificate, both PEM). CAP
messages carry an enveloped XML signature (RSA, SHA-256), evidence packages a
detached one over their manifest.
"""

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml import methods
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from api.bus_server import write_private
from missions.errors import InputWrong

KEY_BITS = 3072
VALID = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key and the certificate that goes with what it signs."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        """The certificate's SHA-256, by which people recognise it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def sign_xml(self, root: etree._Element) -> etree._Element:
        """Return the document with our signature in it."""
        signer = XMLSigner(
            method=methods.enveloped,
            signature_algorithm=SignatureMethod.RSA_SHA256,
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        return signer.sign(root, key=self.key, cert=[self.certificate])

    def sign(self, data: bytes) -> bytes:
        """Return a detached signature (RSA-PSS, SHA-256)."""
        return self.key.sign(data, _PSS, hashes.SHA256())


def is_signed_by(certificate_pem: bytes, data: bytes, signature: bytes) -> bool:
    """Return whether the holder of a certificate's key signed exactly these bytes."""
    public = x509.load_pem_x509_certificate(certificate_pem).public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        return False
    try:
        public.verify(signature, data, _PSS, hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def open_signer(file: Path, *, name: str) -> Signer:
    """Return the signer of a PEM file, made with a certificate of our own under a name where there is none.

    Raises:
        InputWrong: the file holds no RSA key with its certificate.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileExistsError):  # another process was first: its pair counts
            write_private(file, _new_pair(name), exclusive=True)
    data = file.read_bytes()
    try:
        key = serialization.load_pem_private_key(data, password=None)
        certificate = x509.load_pem_x509_certificate(data)
    except ValueError as error:
        raise InputWrong(f"{file}: {error}, expected a private key and its certificate in PEM") from None
    if not isinstance(key, rsa.RSAPrivateKey) or key.public_key() != certificate.public_key():
        raise InputWrong(f"{file}: the certificate does not belong to the key, or the key is not RSA")
    return Signer(key, certificate)


def _new_pair(name: str) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    # A certificate's life is wall time, also in a simulation: others check it against their clocks.
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALID)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (private + certificate.public_bytes(serialization.Encoding.PEM)).decode()


_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
