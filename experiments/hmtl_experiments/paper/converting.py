"""Licensed corpora to .spacy files, with counts beside the published ones."""

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List

from hmtl_spacy.data.converters import convert

from ..rows import markdown
from .expected import Folders
from .licensed import FINDERS
from .table import SPLITS

# ACE and entities: Sanh et al. 2019, Table 2. OntoNotes: Pradhan et al. 2012 and 2013, the New Testament
# included. CoNLL-2003: Tjong Kim Sang and De Meulder 2003, Tables 1 and 2, whose sentences count the
# -DOCSTART- lines, one per document. 117 test documents: Rahman and Ng 2009.
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
    """Write the splits of a corpus to a folder, as train, dev and test.spacy.

    RETURNS: for each split, what was written, what was changed or omitted, and the file's SHA-256.
    """
    record = {}
    sources = FINDERS[corpus](folders)
    for split in SPLITS:
        format, path, options = sources[split]
        dropped: Counter = Counter()
        file = out / f"{split}.spacy"
        written = convert(format, path, file, dropped=dropped, progress=True, **options)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        counts = {what: count for what, count in written.items() if count}
        omitted = {what: count for what, count in dropped.items() if count}
        record[split] = {"source": str(path), "written": counts, "dropped": omitted, "sha256": digest}
    return record


def count_table(corpus: str, record: Dict[str, Any]) -> List[str]:
    """Write the counts of a corpus beside the published ones, then what was changed; a Markdown table."""
    body = []
    for kind in ("written", "dropped"):
        for what in dict.fromkeys(what for counts in record.values() for what in counts[kind]):
            cells = [what if kind == "written" else f"*{what}*"]
            for split, counts in record.items():
                published = PUBLISHED[corpus].get(split, {}).get(what)
                cells += [f"{counts[kind].get(what, 0):,}", "" if published is None else f"{published:,}"]
            body.append(cells)
    return markdown([corpus, *(cell for split in record for cell in (split, "published"))], body)
