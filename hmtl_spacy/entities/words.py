"""Small closed lists of English words, and what stands in for them in other languages: tags."""

from typing import Optional

from spacy.tokens import Doc, Token

SPEAKERS = set("i me my mine myself we us our ours ourselves you your yours yourself yourselves".split())
ANAPHORS = set("he him his she her hers it its they them their theirs this these those".split())
POSSESSIVES = set("my mine our ours your yours his her hers its their theirs".split())
PLURALS = set("we us our ours they them their theirs these those".split())
REFLEXIVES = set(
    "myself ourselves yourself yourselves himself herself itself themselves themself oneself".split()
)
# more that are never replaced: relative, indefinite, and words for places
OTHER_PRONOUNS = set(
    "who whom whose which that here there someone somebody anyone anybody everyone everybody nobody "
    "something anything everything nothing".split()
)
PRONOUNS = SPEAKERS | ANAPHORS | REFLEXIVES | OTHER_PRONOUNS

ARTICLES = {"a", "an", "the"}
DEFINITE = {"the", "this", "that", "these", "those"} | POSSESSIVES
# what may begin a phrase and is capitalised for no reason but its place
DETERMINERS = (
    ARTICLES
    | DEFINITE
    | set("some any no every each all both many most several few such another other one two three".split())
)
POSSESSIVE_MARKS = {"'s", "’s", "'", "’"}
CONJUNCTIONS = {"and", "or", "nor", "&"}
COPULAS = set("is are was were be been being am 's ’s 're ’re became becomes remains not n't now".split())
# what follows the head of a noun phrase; a pronoun does where a clause begins: "a machine he was afraid of"
AFTER_HEAD = set(
    "of in on at by for from with without to into onto over under between among against about across "
    "after before behind below beneath beside besides beyond despite down during except inside like near "
    "off outside past per since than through throughout toward towards until up upon versus via within "
    "around along above amid as who whom whose which that where when why how what if because while "
    "although though is was were are be been being has have had did do does will would can could should "
    'may might must not i you he she it we they , ; : ( ) [ ] - – — " “ ”'.split()
)
NOUNS = {"NOUN", "PROPN", "PRON"}
TAGS_AFTER_HEAD = {"ADP", "SCONJ", "PUNCT", "AUX", "VERB", "ADV"}


def is_english(doc: Doc) -> bool:
    """Whether the English lists apply; also where no language is given."""
    return doc.lang_ in ("en", "")


def is_capitalised(token: Token) -> bool:
    return token.text[:1].isupper() and token.lower_ not in DETERMINERS | POSSESSIVE_MARKS


def is_name(token: Token) -> bool:
    """Whether a token is of a name: by named entities or its tag; if neither is annotated, by its capital."""
    if token.ent_iob_ in ("B", "I"):
        return True
    if token.pos_:
        return token.pos_ == "PROPN"
    return not token.ent_iob_ and is_english(token.doc) and is_capitalised(token)


def is_determiner(token: Token) -> bool:
    if token.pos_ == "DET" or is_possessive_determiner(token):
        return True
    return is_english(token.doc) and token.lower_ in DETERMINERS


def follows_head(token: Token, noun: Optional[int] = None) -> bool:
    """Whether the noun phrase is over but for what is hung on it; noun: the last noun before, if tagged."""
    if token.pos_:
        return token.pos_ in TAGS_AFTER_HEAD and noun is not None
    hyphen = token.text == "-" and not token.nbor(-1).whitespace_
    return is_english(token.doc) and token.lower_ in AFTER_HEAD and not hyphen


def is_pronoun(token: Token) -> bool:
    """By tag where there is one, else by the English list; "US" and "IT" are none."""
    if token.pos_:
        return token.pos_ == "PRON" or is_possessive_determiner(token)
    return is_english(token.doc) and token.lower_ in PRONOUNS and not _is_acronym(token)


def is_possessive_determiner(token: Token) -> bool:
    return token.pos_ == "DET" and "Yes" in token.morph.get("Poss", [])


def is_replaceable(token: Token, speakers: bool) -> bool:
    """Whether a pronoun can give way to what it means: third person, neither reflexive nor relative.

    speakers: also the first and the second person.
    """
    if not is_pronoun(token):
        return False
    if is_english(token.doc):
        demonstrative = token.lower_ == "that" and "Dem" in token.morph.get("PronType", [])
        return token.lower_ in ANAPHORS or demonstrative or (speakers and token.lower_ in SPEAKERS)
    kinds = token.morph.get("PronType", [])
    personal = not kinds or "Prs" in kinds or "Dem" in kinds
    third = speakers or token.morph.get("Person", []) in ([], ["3"])
    return personal and third and not token.morph.get("Reflex", []) and not token.morph.get("Poss", [])


def _is_acronym(token: Token) -> bool:
    return len(token) > 1 and token.text.isupper()
