"""The API's requests and answers."""

from typing import Any, List, Optional, Sequence, Tuple, Type

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

TEXT = "Ada Byron lives in Hull. She works for Acme."


class Query(BaseModel):
    """One text or several, to annotate."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "oneOf": [{"required": ["text"]}, {"required": ["texts"]}],
            "examples": [{"text": TEXT}, {"texts": [TEXT, "It rains."], "html": True}],
        },
    )

    text: str = Field(default="", description="A text; it may be empty.")
    texts: List[str] = Field(default=[], description="Several texts; there may be none.")
    html: bool = Field(default=False, description="Also return each document as an HTML fragment.")

    @model_validator(mode="after")
    def _has_one_of_both(self) -> "Query":
        if len(self.model_fields_set & {"text", "texts"}) != 1:
            raise ValueError("give either 'text', a string, or 'texts', a list of strings")
        return self

    @property
    def all_texts(self) -> List[str]:
        return [self.text] if "text" in self.model_fields_set else self.texts


class Health(BaseModel):
    """Whether texts are accepted."""

    status: str = Field(examples=["ok"])
    waiting: int = Field(description="Texts that are waiting.")


class Model(BaseModel):
    """The pipeline."""

    name: str = Field(examples=["en_hmtl_sample"])
    version: str = Field(examples=["0.1.0"])
    pipeline: List[str] = Field(examples=[["sentencizer", "hmtl"]])
    levels: List[str] = Field(examples=[["ner", "mentions", "coref", "relations"]])


class Version(BaseModel):
    """The versions of the package and spaCy, and the pipeline."""

    hmtl_spacy: str = Field(examples=["0.1.0"])
    spacy: str = Field(examples=["3.8.18"])
    model: Model


class Problem(BaseModel):
    """Why a request was refused: what was found, what was expected, what to do."""

    detail: str = Field(
        examples=["Found a text of 60,000 characters, the limit is 50,000. Send it in parts."]
    )


class Place(BaseModel):
    """A span in characters of the text and in tokens; ends are exclusive."""

    model_config = ConfigDict(extra="forbid")

    start: int
    end: int
    start_token: int
    end_token: int


class Linked(Place):
    """A mention in a cluster."""

    score: Optional[float] = Field(default=None, description="The confidence in its link, from 0 to 1.")


class Labelled(Place):
    """A named entity or a typed mention."""

    label: str
    score: Optional[float] = Field(default=None, description="The confidence in it, from 0 to 1.")


class Related(BaseModel):
    """A directed relation between two spans of one sentence."""

    model_config = ConfigDict(extra="forbid")

    head: Place
    tail: Place
    label: str
    score: float


class Document(BaseModel):
    """A text and its layers, as a line of our own JSONL; a layer that the pipeline lacks is missing."""

    model_config = ConfigDict(extra="forbid")

    text: str
    tokens: List[str]
    sentences: Optional[List[Tuple[int, int]]] = Field(default=None, description="Start and end of each.")
    entities: Optional[List[Labelled]] = None
    mentions: Optional[List[Labelled]] = None
    clusters: Optional[List[List[Linked]]] = None
    relations: Optional[List[Related]] = None
    html: Optional[str] = Field(default=None, description="The document for a page, if it was asked for.")


class Documents(BaseModel):
    """The answer to several texts, in their order."""

    docs: List[Document]


def answer_models(further: Sequence[str]) -> Tuple[Type[Document], Type[Documents]]:
    """`Document` and `Documents` with a pipeline's further layers, whose tasks decide what they look like.

    further: the names of the layers.
    """
    if not further:
        return Document, Documents
    description = "A layer of another task."
    fields: Any = {
        f"further_{i}": (Optional[Any], Field(default=None, alias=name, description=description))
        for i, name in enumerate(further)
    }
    document = create_model("Document", __base__=Document, __doc__=Document.__doc__, **fields)
    documents = create_model("Documents", __base__=Documents, docs=(List[document], ...))  # type: ignore[valid-type] # made here
    return document, documents
