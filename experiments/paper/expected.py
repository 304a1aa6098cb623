"""What is expected of the licensed corpora, and how it is said that something is missing."""

from pathlib import Path
from typing import Dict

Folders = Dict[str, Path]  # by variable

EXPECTED = {
    "ontonotes": "OntoNotes 5 (LDC2013T19) as CoNLL-2012's scripts make it, *gold_conll files at or below "
    "the folders train, development and test (conll-2012/v4/data is such a folder), or one file for each "
    "part: train.english.v4_gold_conll, dev. ..., test. ...",
    "conll2003": "CoNLL-2003, English: eng.train, eng.testa and eng.testb, or train.txt, valid.txt and "
    "test.txt.",
    "ace2005": "ACE 2005 English (LDC2006T06), pairs of .sgm and .apf.xml files in or below bc/timex2norm, "
    "nw/timex2norm and so on (ace_2005_td_v7/data/English is such a folder).",
    "ace_split": "three lists of documents, train, dev and test (351, 80 and 80 names, one a line), as "
    "published in the folder split of tticoin/LSTM-ER's ACE 2005 data.",
    "ace_split_rahman": "two lists of documents, train and test (482 and 117 names, one a line), as Rahman "
    "and Ng (2009) divide them. Without a list dev, 30 % of train serve for development.",
}

# the variables of each corpus
VARIABLES = {
    "ontonotes": ("ontonotes",),
    "conll2003": ("conll2003",),
    "ace": ("ace2005", "ace_split"),
    "ace_rahman": ("ace2005", "ace_split_rahman"),
}


class Missing(Exception):
    """Something isn't where a variable says: what was found, what is expected, what to do."""

    def __init__(self, variable: str, folder: Path, found: str):
        super().__init__(
            f"{variable}: '{folder}' {found}.\n  Expected: {EXPECTED[variable]}\n"
            f"  Put it there, or name another folder with --vars.{variable} FOLDER."
        )
