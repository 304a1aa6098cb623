"""UIMA CAS files as INCEpTION exports them: JSON, XMI with its type system, or a zip of these."""

import io
import warnings
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any, Optional, Tuple

from .common import ConversionError
from .xml_files import check_xml

TYPE_SYSTEM = "TypeSystem.xml"
LARGEST = 1 << 28  # bytes of a file in a zip, when unpacked
ZIP = b"PK\x03\x04"


def load_cas(path: Path, typesystem: Optional[Path]) -> Tuple[str, Any]:
    """Read a file. What is in a zip is read in memory: nothing is unpacked to a place that it names.

    path: a .json, .xmi or .zip file.
    typesystem: the type system of XMI; by default TypeSystem.xml beside it.
    RETURNS: the document's name, and dkpro-cassis' CAS.
    """
    raw = path.read_bytes()
    if raw.startswith(ZIP):
        return _of_zip(raw, path)
    if raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return path.stem, parse_cas(raw, None, str(path))
    file = typesystem or path.with_name(TYPE_SYSTEM)
    if not file.is_file():
        found = f"there is no type system {file.name} beside it"
        raise ConversionError(
            str(path), None, f"{found}. Name it, or convert the zip that INCEpTION exports."
        )
    return path.stem, parse_cas(raw, file.read_bytes(), str(path))


def _of_zip(raw: bytes, path: Path) -> Tuple[str, Any]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = [name for name in archive.namelist() if name.endswith((".xmi", ".json"))]
            if len(names) != 1:
                found = f"found {len(names)} .xmi and .json files in it, expected one"
                raise ConversionError(str(path), None, f"{found}. Unpack it, and convert the folder.")
            source = f"{path}/{names[0]}"
            types = [name for name in archive.namelist() if PurePosixPath(name).name == TYPE_SYSTEM]
            typesystem = _member(archive, types[0], path) if types else None
            data = _member(archive, names[0], path)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as err:
        raise ConversionError(str(path), None, f"not a zip that can be read: {err}.") from None
    is_json = names[0].endswith(".json")
    if typesystem is None and not is_json:
        raise ConversionError(source, None, f"there is no {TYPE_SYSTEM} in the zip.")
    return PurePosixPath(names[0]).stem, parse_cas(data, None if is_json else typesystem, source)


def _member(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    size = archive.getinfo(name).file_size
    if size > LARGEST:
        found = f"{name} has more than {LARGEST:,} bytes when unpacked"
        raise ConversionError(str(path), None, f"{found}. If it is what you expect, unpack it yourself.")
    with archive.open(name) as file_:
        return file_.read(size)  # no more is unpacked, whatever there is


def parse_cas(raw: bytes, typesystem: Optional[bytes], source: str) -> Any:
    """Read a CAS: JSON if there is no type system, else XMI. Nothing that either declares is expanded.

    source: the name of the file, for messages.
    RETURNS: dkpro-cassis' CAS.
    """
    try:
        import cassis
    except ImportError:
        advice = "Install the extra: pip install hmtl-spacy[cas]"
        raise ImportError(f"CAS files are read with the library dkpro-cassis. {advice}") from None
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Not mapping external offset")
        try:
            if typesystem is None:
                return cassis.load_cas_from_json(raw.decode("utf-8-sig"))
            for data, name in ((typesystem, TYPE_SYSTEM), (raw, source)):
                check_xml(data, name)
            types = cassis.load_typesystem(io.BytesIO(typesystem))
            return cassis.load_cas_from_xmi(io.BytesIO(raw), typesystem=types)
        except ConversionError:
            raise
        except (Exception, UserWarning) as err:  # of whatever kind the library raises
            line = getattr(err, "lineno", None)
            reason = f"{type(err).__name__}: {str(err).rstrip('.')}"
            raise ConversionError(source, line, f"not a CAS that can be read: {reason}.") from None
