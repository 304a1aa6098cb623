"""Which of ACE's files to read: one stage of annotation, and the documents of a list."""

from pathlib import Path
from typing import Dict, Iterable, List, Optional

from ..common import ConversionError

SOURCE, ANNOTATION = ".sgm", ".apf.xml"
STAGES = ("timex2norm", "adj")  # the last two; each has all documents
FIRST_PASSES = ("fp1", "fp2")


def find_documents(
    folder: Path, stage: Optional[str], files: Optional[Iterable[str]], files_source: str
) -> List[Path]:
    """Find pairs of files.

    folder: where to look, in all folders below it too.
    stage: the name of the folders to read, one of `STAGES`; the first that is there if None.
    files: the names of the documents, one a line, folders and endings or none;
        all that are there if None.
    files_source: the name of the list, for messages.
    RETURNS: the paths without the endings `SOURCE` and `ANNOTATION`.
    """
    if stage not in (None, *STAGES):
        raise ValueError(f"stage is {stage!r}, expected one of {', '.join(STAGES)}.")
    found: Dict[str, Path] = {}
    for path in _of_stage(folder, stage):
        if found.setdefault(path.name, path) != path:
            both = f"{path.name!r} is in {found[path.name].parent} too"
            raise ConversionError(str(path), None, f"{both}. Name a folder that has it once.")
    wanted = found.values() if files is None else _listed(found, files, files_source, folder)
    for path in wanted:
        for ending, other in ((SOURCE, ANNOTATION), (ANNOTATION, SOURCE)):
            if not path.with_name(path.name + ending).is_file():
                missing = f"there is no {path.name}{ending} beside it"
                raise ConversionError(f"{path}{other}", None, f"{missing}. Copy both files.")
    return list(wanted)


def _of_stage(folder: Path, stage: Optional[str]) -> List[Path]:
    paths = {
        file.with_name(file.name.removesuffix(ending))
        for ending in (SOURCE, ANNOTATION)
        for file in folder.rglob(f"*{ending}")
    }
    there = {path.parent.name for path in paths}
    if stage is None:
        if not there.intersection((*STAGES, *FIRST_PASSES)):
            return sorted(paths)
        stage = next((name for name in STAGES if name in there), STAGES[0])
    if stage not in there:
        found = (
            f"found no {SOURCE} files in folders named {stage!r}, but in {', '.join(sorted(there)) or 'none'}"
        )
        raise ConversionError(str(folder), None, f"{found}. Name ACE's folder 'English', or another stage.")
    return sorted(path for path in paths if path.parent.name == stage)


def _listed(found: Dict[str, Path], files: Iterable[str], source: str, folder: Path) -> List[Path]:
    listed: Dict[Path, int] = {}
    for number, line in enumerate(files, start=1):
        name = (
            line.strip().replace("\\", "/").rpartition("/")[2].removesuffix(SOURCE).removesuffix(ANNOTATION)
        )
        if not name:
            continue
        if name not in found:
            missing = f"there is no document {name!r} in {folder}"
            raise ConversionError(
                source, number, f"{missing}. One name a line, such as AFP_ENG_20030304.0250."
            )
        if found[name] in listed:
            raise ConversionError(source, number, f"{name!r} is in line {listed[found[name]]} already.")
        listed[found[name]] = number
    return list(listed)
