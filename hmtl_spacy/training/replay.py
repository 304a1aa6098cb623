"""How spaCy's training loop, which keeps its state to itself, is led to where it was interrupted."""

from contextlib import AbstractContextManager
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple

from spacy.language import Language
from spacy.training import Example

Evaluate = Callable[[], Tuple[float, Dict[str, Any]]]
BeforeUpdate = Callable[[Language, Dict[str, Any]], None]


class Evaluation(NamedTuple):
    """What the loop reported.

    score: decides which model is best. losses: sums since the evaluation before.
    """

    step: int
    seconds: int
    score: float
    scores: Dict[str, Any]
    losses: Dict[str, float]


class ReplayedPipeline:
    """Stands for a pipeline in spaCy's loop. As long as there are evaluations of before, updates do nothing
    and evaluations return what they returned. So the loop comes, batch by batch, to the state in which it
    was: step, epoch, schedules, best score, patience. From then on it has the pipeline itself.

    evaluate: what evaluates the pipeline.
    past: the evaluations of before.
    """

    def __init__(self, nlp: Language, evaluate: Evaluate, past: Iterable[Evaluation]):
        self.nlp = nlp
        self.past = list(past)
        self._evaluate = evaluate

    @property
    def pipeline(self) -> List[Tuple[str, Any]]:
        """The components that finish their update."""
        return [] if self.past else list(self.nlp.pipeline)

    def update(self, examples: List[Example], *, losses: Dict[str, float], **settings: Any) -> None:
        if self.past:
            losses.update(self.past[0].losses)
        else:
            self.nlp.update(examples, losses=losses, **settings)

    def use_params(self, params: Dict[Any, Any]) -> AbstractContextManager[None]:
        return self.nlp.use_params(params)

    def evaluate(self) -> Tuple[float, Dict[str, Any]]:
        if not self.past:
            return self._evaluate()
        evaluation = self.past.pop(0)
        return evaluation.score, evaluation.scores

    def before_update(self, callback: Optional[BeforeUpdate]) -> Optional[BeforeUpdate]:
        """The callback of the config, which gets the pipeline itself; steps that are replayed count."""
        return callback and (lambda _, arguments: callback(self.nlp, arguments))
