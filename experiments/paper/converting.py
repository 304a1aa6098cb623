"""Licensed corpora to .spacy files, counted beside what is published about them."""

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List

from hmtl_spacy.data.converters import convert

from ..rows import markdown
from .expected import Folders
from .licensed import FINDERS
from .table import PARTS

# ACE and entities: Sanh et al. 2019, Table 2. OntoNotes: Pradhan et al. 2012 and 2013, the New Testament
# included. CoNLL-2003: Tjong Kim Sang and De Meulder 2003, Tables 1 and 2, whose sentences count the
# -DOCSTART- lines, one a document. 117 test documents: Rahman and Ng 2009.
PUBLISHED: Dict[str, Dict[str, Dict[str, int]]] = {
    "ontonotes": {
        "train": {"documents": 2_802, "sentences": 75_187, "tokens": 1_299_312, "entities": 81_828},
        "dev": {"documents": 343, "sentences": 9_603, "tokens": 163_104, "entities": 11_066},
        "test": {"documents": 348, "sentences": 9_479, "tokens": 169_579, "entities": 11_257},
    },
    "conll2003": {
        "train": {"documents": 946, "sentences": 14_041, "tokens": 203_621, "entities": 23_499},
        "dev": {"documents": 216, "sentences": 3_250, "tokens": 51_362, "entities": 5_942},
        "test": {"documents": 231, "sentences": 3_453, "tokens": 46_435, "entities": 5_648},
    },
    "ace": {
        "train": {"documents": 351, "sentences": 7_273, "mentions": 26_470, "relations": 4_779},
        "dev": {"documents": 80, "sentences": 1_765, "mentions": 6_421, "relations": 1_179},
        "test": {"documents": 80, "sentences": 1_535, "relations": 1_147},
    },
    "ace_rahman": {"test": {"documents": 117}},
}


def convert_corpus(corpus: str, folders: Folders, out: Path) -> Dict[str, Any]:
    """Write the parts of a corpus to a folder, as train, dev and test.spacy.

    RETURNS: for each part, what was written, what was changed or left out, and the file's SHA-256.
    """
    found = {}
    sources = FINDERS[corpus](folders)
    for part in PARTS:
        format, path, options = sources[part]
        dropped: Counter = Counter()
        file = out / f"{part}.spacy"
        written = convert(format, path, file, dropped=dropped, progress=True, **options)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        counts = {what: count for what, count in written.items() if count}
        left_out = {what: count for what, count in dropped.items() if count}
        found[part] = {"source": str(path), "written": counts, "dropped": left_out, "sha256": digest}
    return found


def count_table(corpus: str, found: Dict[str, Any]) -> List[str]:
    """What was written of a corpus beside what is published, and what was changed; a Markdown table."""
    body = []
    for kind in ("written", "dropped"):
        for what in dict.fromkeys(what for of_part in found.values() for what in of_part[kind]):
            cells = [what if kind == "written" else f"*{what}*"]
            for part, of_part in found.items():
                told = PUBLISHED[corpus].get(part, {}).get(what)
                cells += [f"{of_part[kind].get(what, 0):,}", "" if told is None else f"{told:,}"]
            body.append(cells)
    return markdown([corpus, *(cell for part in found for cell in (part, "published"))], body)
