"""Makes a wheel whose script is the binary: wheel.py BINARY VERSION TAG OUT."""

import base64
import hashlib
import pathlib
import sys
import zipfile

binary, version, tag, out = sys.argv[1:]
root = pathlib.Path(__file__).resolve().parents[2]
name = f"authtape-{version}"
metadata = (
    f"Metadata-Version: 2.1\nName: authtape\nVersion: {version}\nSummary: The flight recorder for OAuth\nLicense: MIT OR Apache-2.0\n"
    f"Requires-Python: >=3.8\nDescription-Content-Type: text/markdown\n\n{(root / 'README.md').read_text()}"
)
files = {
    f"{name}.data/scripts/authtape": (pathlib.Path(binary).read_bytes(), 0o755),
    f"{name}.dist-info/METADATA": (metadata.encode(), 0o644),
    f"{name}.dist-info/WHEEL": (f"Wheel-Version: 1.0\nGenerator: authtape\nRoot-Is-Purelib: false\nTag: py3-none-{tag}\n".encode(), 0o644),
    **{f"{name}.dist-info/licenses/{file}": ((root / file).read_bytes(), 0o644) for file in ("LICENSE-MIT", "LICENSE-APACHE")},
}
record = "".join(
    f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n" for path, (data, _) in files.items()
)
files[f"{name}.dist-info/RECORD"] = (f"{record}{name}.dist-info/RECORD,,\n".encode(), 0o644)
with zipfile.ZipFile(pathlib.Path(out, f"{name}-py3-none-{tag}.whl"), "w", zipfile.ZIP_DEFLATED) as wheel:
    for path, (data, mode) in files.items():
        entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
        entry.external_attr = (0o100000 | mode) << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        wheel.writestr(entry, data)
