"""Why a training can't be resumed, or its state can't be stored."""


class CantResume(ValueError):
    """What is stored doesn't fit, or is damaged: the message says what, and what to do."""


class CantStore(ValueError):
    """Something is trained whose state can't be stored.

    found: what it is, as a sentence without its full stop.
    """

    def __init__(self, found: str):
        super().__init__(f"{found}, so a training couldn't be resumed. Use `python -m spacy train` instead.")
