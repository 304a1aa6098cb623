"""What makes two nodes of a corpus one: ids, and rules for merging entities of different documents."""

import sqlite3
import unicodedata
from hashlib import blake2b
from typing import Callable, Dict, Optional
from urllib.parse import quote

from ..entities import Entity

LONGEST = 200  # characters of an id's part: databases index no long ones


def quoted(name: str) -> str:
    """A name as a part of an IRI and of ids: percent-encoded; a digest in place of a long one."""
    code = quote(name, safe="")
    return code if len(code) <= LONGEST else f"{code[: LONGEST // 2]}~{_digest(name)}"


def part(*ids: str) -> str:
    """The id of a part of something, by those of the whole and the part; quoted names have no "/"."""
    return "/".join(ids)


def by_name(entity: Entity) -> Optional[str]:
    """Equal names are one entity; Unicode's composed and decomposed characters are equal."""
    if not any(mention.form == "name" for mention in entity.mentions):
        return None
    return f"name:{_digest(_normal(entity.name))}"


def by_name_and_type(entity: Entity) -> Optional[str]:
    """Equal names with equal labels are one entity; one without a label is like no other."""
    if not entity.label or by_name(entity) is None:
        return None
    return f"name+type:{_digest(entity.label, _normal(entity.name))}"


MergeRule = Callable[[Entity], Optional[str]]  # to the id of the merged node, None if it isn't merged
MERGE_RULES: Dict[str, MergeRule] = {"name+type": by_name_and_type, "name": by_name}


class Distinct:
    """How often each string was seen, in a temporary file: SQLite keeps a few MB of it in memory."""

    def __init__(self) -> None:
        # "": a file of its own, removed at the end
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE seen (id TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def count(self, id: str) -> int:
        """Count a string and say how often it was seen, this time included."""
        statement = "INSERT INTO seen VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET n = n + 1 RETURNING n"
        [(n,)] = self._database.execute(statement, (id,)).fetchall()
        return int(n)


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _digest(*texts: str) -> str:
    return blake2b("\0".join(texts).encode(), digest_size=16).hexdigest()
