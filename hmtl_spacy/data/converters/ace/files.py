"""Which of ACE's files to read: one stage of annotation, and the documents of a list."""

from pathlib import Path
from typing import Dict, List, Literal, Optional, get_args

from ..common import ConversionError, Lines

SOURCE, ANNOTATION = ".sgm", ".apf.xml"
Stage = Literal["timex2norm", "adj"]  # the last two; each has all documents
STAGES = get_args(Stage)
FIRST_PASSES = ("fp1", "fp2")


def find_documents(folder: Path, stage: Optional[Stage], files: Optional[Lines]) -> List[Path]:
    """Find pairs of files.

    folder: where to look, in all folders below it too.
    stage: the name of the folders to read, one of `STAGES`; the first that is there if None.
    files: the names of the documents, one a line, with or without folders and endings; all that are
        there if None.
    RETURNS: the paths without the endings `SOURCE` and `ANNOTATION`.
    """
    if stage not in (None, *STAGES):
        raise ValueError(f"stage is {stage!r}, expected one of {', '.join(STAGES)}.")
    by_name: Dict[str, Path] = {}
    for path in _of_stage(folder, stage):
        if by_name.setdefault(path.name, path) != path:
            both = f"{path.name!r} is in {by_name[path.name].parent} too"
            raise ConversionError(str(path), None, f"{both}. Name a folder that has it once.")
    documents = list(by_name.values()) if files is None else _listed(by_name, files, folder)
    for path in documents:
        for ending, other in ((SOURCE, ANNOTATION), (ANNOTATION, SOURCE)):
            if not path.with_name(path.name + ending).is_file():
                missing = f"there is no {path.name}{ending} beside it"
                raise ConversionError(f"{path}{other}", None, f"{missing}. Copy both files.")
    return documents


def _of_stage(folder: Path, stage: Optional[Stage]) -> List[Path]:
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


def _listed(by_name: Dict[str, Path], files: Lines, folder: Path) -> List[Path]:
    listed: Dict[Path, int] = {}
    for number, line in enumerate(files.lines, start=1):
        name = (
            line.strip().replace("\\", "/").rpartition("/")[2].removesuffix(SOURCE).removesuffix(ANNOTATION)
        )
        if not name:
            continue
        if name not in by_name:
            missing = f"there is no document {name!r} in {folder}"
            raise ConversionError(
                files.source, number, f"{missing}. One name a line, such as AFP_ENG_20030304.0250."
            )
        if by_name[name] in listed:
            already = listed[by_name[name]]
            raise ConversionError(files.source, number, f"{name!r} is in line {already} already.")
        listed[by_name[name]] = number
    return list(listed)
