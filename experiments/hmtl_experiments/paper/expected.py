"""Which files the licensed corpora should have, and the message if some are missing."""

from pathlib import Path
from typing import Dict

Folders = Dict[str, Path]  # by variable

EXPECTED = {
    "ontonotes": "OntoNotes 5 (LDC2013T19) as produced by the CoNLL-2012 scripts: *gold_conll files in or "
    "below the folders train, development and test (conll-2012/v4/data is such a folder), or one file for "
    "each split: train.english.v4_gold_conll, dev. ..., test. ...",
    "conll2003": "CoNLL-2003, English: eng.train, eng.testa and eng.testb, or train.txt, valid.txt and "
    "test.txt.",
    "ace2005": "ACE 2005 English (LDC2006T06), pairs of .sgm and .apf.xml files in or below bc/timex2norm, "
    "nw/timex2norm and so on (ace_2005_td_v7/data/English is such a folder).",
    "ace_split": "three lists of documents, train, dev and test (351, 80 and 80 names, one per line), as "
    "published in the folder split of tticoin/LSTM-ER's ACE 2005 data.",
    "ace_split_rahman": "two lists of documents, train and test (482 and 117 names, one per line), as Rahman "
    "and Ng (2009) split them. Without a list dev, 30 % of train are used for development.",
}

# the variables of each corpus
VARIABLES = {
    "ontonotes": ("ontonotes",),
    "conll2003": ("conll2003",),
    "ace": ("ace2005", "ace_split"),
    "ace_rahman": ("ace2005", "ace_split_rahman"),
}


class Missing(Exception):
    """A corpus isn't where a variable says; the message adds what is expected and what to do.

    problem: what is wrong with the folder, as the rest of a sentence.
    """

    def __init__(self, variable: str, folder: Path, problem: str):
        super().__init__(
            f"{variable}: '{folder}' {problem}.\n  Expected: {EXPECTED[variable]}\n"
            f"  Put it there, or name another folder with --vars.{variable} FOLDER."
        )
