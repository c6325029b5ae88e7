"""The evidence package of one alert: what was seen, by what, when, and why somebody was told.

A zip with `manifest.json`, our signature over it, our certificate and the files
the manifest names with their SHA-256: the pictures, and each again with what was
found drawn into it. A picture as flown has the very bytes the drone wrote; their
hash was taken by the gateway when it fetched them, before anything else touched
them. Where the reader has no right to the whole picture, a reduced one takes its
place, and the hash at capture stays, so that the original can be proved later.
Each picture brings its custody log, a chain of hashes (`api.custody`).
`verify` needs the file alone, and no network.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from api import custody
from api.delivery.signing import Signer, is_signed_by

FORMAT = "gridpatrol-evidence/1"
MANIFEST, SIGNATURE, CERTIFICATE = "manifest.json", "manifest.sig", "certificate.pem"

MOST_BYTES = 4 << 30
"""Unpacked; a package that claims more is not opened."""

AS_FLOWN, REDUCED = "as flown", "reduced outside the incident"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying found: the faults, none when the package holds, and whose signature it bears."""

    faults: tuple[str, ...]
    pictures: int = 0
    as_flown: int = 0
    fingerprint: str | None = None

    @property
    def holds(self) -> bool:
        return not self.faults


def packed(facts: Mapping[str, Any], files: Mapping[str, bytes], signer: Signer) -> bytes:
    """Return a package of facts (JSON values) and files by name, signed."""
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    manifest = json.dumps(
        {"format": FORMAT, **facts, "files": sums}, ensure_ascii=False, indent=1, sort_keys=True
    ).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as package:
        package.writestr(MANIFEST, manifest)
        package.writestr(SIGNATURE, signer.sign(manifest))
        package.writestr(CERTIFICATE, signer.certificate_pem)
        for name, data in sorted(files.items()):
            package.writestr(name, data)
    return out.getvalue()


def verify(data: bytes, *, certificate_pem: bytes | None = None) -> Verdict:
    """Return whether a package is whole and unchanged since it was signed.

    certificate_pem: the certificate it must be signed by; without one the package's own counts,
        and whoever reads compares its fingerprint with the operator's.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            if sum(entry.file_size for entry in package.infolist()) > MOST_BYTES:
                return Verdict((f"it unpacks to more than {MOST_BYTES >> 30} GB",))
            names = package.namelist()
            held = {name: package.read(name) for name in names}
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
        return Verdict((f"this is no whole zip file: {error}",))
    if missing := {MANIFEST, SIGNATURE, CERTIFICATE} - held.keys():
        return Verdict((f"it lacks {', '.join(sorted(missing))}",))
    return _judged(names, held, certificate_pem or held[CERTIFICATE])


def _judged(names: Sequence[str], held: Mapping[str, bytes], certificate_pem: bytes) -> Verdict:
    faults = [f"{name} is in it twice" for name in sorted({n for n in names if names.count(n) > 1})]
    fingerprint = None
    try:
        fingerprint = _fingerprint(certificate_pem)
        if not is_signed_by(certificate_pem, held[MANIFEST], held[SIGNATURE]):
            faults.append("the manifest is not what was signed, or another signed it")
        manifest = json.loads(held[MANIFEST])
        sums, pictures = dict(manifest["files"]), list(manifest["pictures"])
    except (ValueError, KeyError, TypeError) as error:
        return Verdict((*faults, f"its manifest or certificate cannot be read: {error}"), 0, 0, fingerprint)
    if manifest.get("format") != FORMAT:
        faults.append(f"it is of the format {manifest.get('format')!r}, expected {FORMAT}")
    here = held.keys() - {MANIFEST, SIGNATURE, CERTIFICATE}
    faults += [f"{name} is missing" for name in sorted(sums.keys() - here)]
    faults += [f"{name} is not named in the manifest" for name in sorted(here - sums.keys())]
    for name in sorted(here & sums.keys()):
        if hashlib.sha256(held[name]).hexdigest() != sums[name]:
            faults.append(f"{name} was changed")
    as_flown = [p for p in pictures if p.get("form") == AS_FLOWN]
    for picture in as_flown:
        if sums.get(picture.get("file")) != picture.get("sha256_at_capture"):
            faults.append(f"{picture.get('file')} is not the picture whose hash was taken at capture")
    for picture in pictures:
        if why := custody.fault(str(picture.get("sha256_at_capture")), picture.get("custody", [])):
            faults.append(f"the custody log of frame {picture.get('frame')}: {why}")
    return Verdict(tuple(faults), len(pictures), len(as_flown), fingerprint)


def _fingerprint(certificate_pem: bytes) -> str:
    return x509.load_pem_x509_certificate(certificate_pem).fingerprint(hashes.SHA256()).hex()
