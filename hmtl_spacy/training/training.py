"""A training by spaCy's loop that stores its state at each evaluation, and goes on from one."""

import json
from typing import IO, Any, Callable, Dict, List, Optional, Tuple, cast

from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training import loop
from spacy.util import registry, resolve_dot_names
from thinc.api import Optimizer, fix_random_seed, set_gpu_allocator
from torch import Tensor
from wasabi.printer import Printer

from .checkpoints import Checkpoints
from .errors import CantResume, CantStore
from .folder import ResumeFolder, Stored
from .random_state import BatchStream, RandomState, restart_cupy
from .replay import Evaluation, ReplayedPipeline
from .weights import Trained

Info = Dict[str, Any]
LogStep = Callable[[Optional[Info]], None]


class Training:
    """The training of an initialized pipeline.

    checkpoints: where its pipelines go. folder: where its state goes.
    job: what its result depends on, which is stored with the state.
    past: the state to go on from; None to begin.
    """

    def __init__(
        self,
        nlp: Language,
        checkpoints: Checkpoints,
        folder: ResumeFolder,
        job: Dict[str, Any],
        past: Optional[Stored],
        use_gpu: int,
    ):
        self.nlp, self.checkpoints, self.folder, self.job, self.past = nlp, checkpoints, folder, job, past
        config = nlp.config.interpolate()
        if config["training"]["seed"] is not None:
            fix_random_seed(config["training"]["seed"])
        if use_gpu >= 0 and config["training"]["gpu_allocator"]:
            set_gpu_allocator(config["training"]["gpu_allocator"])
        self.settings: Dict[str, Any] = registry.resolve(config["training"], schema=ConfigSchemaTraining)
        self.optimizer: Optimizer = self.settings["optimizer"]
        self.frozen: List[str] = self.settings["frozen_components"]
        self.trained = Trained(nlp, self.optimizer, self.frozen)
        self.known_strings = set(nlp.vocab.strings)
        self.n_features: Dict[str, int] = {}  # that are stored already, by cache
        names = [self.settings["train_corpus"], self.settings["dev_corpus"]]
        train_corpus, self.dev_corpus = resolve_dot_names(config, names)
        batcher, max_epochs = self.settings["batcher"], self.settings["max_epochs"]
        self.batches = BatchStream(loop.create_train_batches(nlp, train_corpus, batcher, max_epochs))
        if past is not None:
            self.batches.state = RandomState.from_json(past.state["random_at_start"])
        self.start = self.batches.state
        self.before_to_disk = loop.create_before_to_disk_callback(self.settings["before_to_disk"])
        self.evaluations: List[Evaluation] = []
        self.seconds = 0  # how long it took before it was interrupted

    @property
    def is_replayed(self) -> bool:
        """Whether the steps are those of before, at which nothing is computed or stored."""
        return self.past is not None

    def run(self, stdout: IO[str], stderr: IO[str]) -> None:
        """Train to the end. What it does and says is what spaCy's `train` does and says."""
        msg = Printer(no_print=True)
        nlp, frozen, annotating = self.nlp, self.frozen, self.settings["annotating_components"]
        print(msg.info(f"Pipeline: {nlp.pipe_names}"), file=stdout)
        if frozen:
            print(msg.info(f"Frozen components: {frozen}"), file=stdout)
        if annotating:
            print(msg.info(f"Set annotations on update for: {annotating}"), file=stdout)
        print(msg.info(f"Initial learn rate: {self.optimizer.learn_rate}"), file=stdout)
        with nlp.select_pipes(disable=frozen):
            log_step, finalize_logger = self.settings["logger"](nlp, stdout, stderr)
        try:
            for _, info, is_best in self._steps():
                if is_best is None:
                    log_step(None)
                else:
                    self._evaluated(info, is_best, log_step)
        except Exception as error:
            text = f"Aborting and saving the final best model. Encountered exception: {error!r}"
            print(msg.warn(text), file=stdout)
            raise
        finally:
            finalize_logger()
            if not self.is_replayed:
                self._store_pipeline(is_best=False)
        self.folder.finish({"job": self.job, "finished": True, "step": info["step"]})
        print(msg.good("Saved pipeline to output directory", self.checkpoints.last), file=stdout)

    def _steps(self) -> Any:
        """The steps of spaCy's loop, as it yields them."""
        past = [Evaluation(*values) for values in self.past.state["evaluations"]] if self.past else []
        settings = self.settings
        evaluate = loop.create_evaluation_callback(self.nlp, self.dev_corpus, settings["score_weights"])
        replayed = ReplayedPipeline(self.nlp, evaluate, past)
        names = ("dropout", "accumulate_gradient", "patience", "max_steps", "eval_frequency")
        return loop.train_while_improving(
            cast(Language, replayed),
            self.optimizer,
            self.batches,
            replayed.evaluate,
            exclude=self.frozen,
            annotating_components=settings["annotating_components"],
            before_update=replayed.before_update(settings["before_update"]),
            **{name: settings[name] for name in names},
        )

    def _evaluated(self, info: Info, is_best: bool, log_step: LogStep) -> None:
        """Store the pipeline, log, store the state, in this order: logging may draw random numbers too."""
        with self.nlp.select_pipes(disable=self.frozen):
            loop.update_meta(self.settings, self.nlp, info)
        if self.past is not None:
            seconds = self.past.state["evaluations"][len(self.evaluations)][1]
            self.seconds = seconds - info["seconds"]
        else:
            self._store_pipeline(is_best)
        info["seconds"] += self.seconds
        info["output_path"] = str(self.checkpoints.last)
        log_step(info)
        scores, losses = _plain(info["other_scores"]), _plain(info["losses"])
        self.evaluations.append(
            Evaluation(info["step"], info["seconds"], _plain(info["score"]), scores, losses)
        )
        if self.past is None:
            self._store_state(info)
        elif info["step"] == self.past.state["step"]:
            self._restore(self.past, info)
            self.past = None

    def _store_pipeline(self, is_best: bool) -> None:
        with self.nlp.use_params(self.optimizer.averages):
            self.before_to_disk(self.nlp).to_disk(self.checkpoints.last)
        if is_best:
            self.checkpoints.last_is_best()

    def _store_state(self, info: Info) -> None:
        features: Dict[str, Tensor] = {}
        for place, cache in self.trained.caches().items():
            added = list(cache.features.items())[self.n_features.get(place, 0) :]
            for key, of_text in added:
                features.update({f"{place}/{key.hex()}/{n}": tensor for n, tensor in enumerate(of_text)})
        state = {
            "job": self.job,
            "finished": False,
            "evaluations": self.evaluations,
            "strings": sorted(set(self.nlp.vocab.strings) - self.known_strings),
            "thresholds": {name: choice.thresholds for name, choice in self._choices().items()},
            "random_at_start": self.start.to_json(),
            "random": RandomState.capture().to_json(),
            "full": {place: cache.full for place, cache in self.trained.caches().items()},
            **self._course(info),
        }
        self.folder.write(state, info["step"], self.trained.tensors(), features)
        self._count_features()
        restart_cupy(info["step"])

    def _course(self, info: Info) -> Dict[str, Any]:
        """What comes out the same when the steps are replayed."""
        return {
            "step": info["step"],
            "epoch": info["epoch"],
            "words": info["words"],
            "learn_rate": self.optimizer.learn_rate,
            "random_of_batches": self.batches.state.to_json(),
            "unchanged_weights": self.trained.digest_of_others(),
        }

    def _restore(self, past: Stored, info: Info) -> None:
        try:
            self.trained.load(past.training)
            self._restore_features(past)
            for string in past.state["strings"]:
                self.nlp.vocab.strings.add(string)
            for name, choice in self._choices().items():
                choice.thresholds.update(past.state["thresholds"][name])
                choice.settings.update({task: choice.thresholds[task] for task in choice.weights})
            for name, value in self._course(info).items():
                if past.state[name] != json.loads(json.dumps(value)):
                    raise CantResume(f"{name} came out differently")
        except (CantResume, KeyError) as error:
            raise CantResume(
                f"Can't resume: the same config and files led to another pipeline or other batches than "
                f"before ({error}). Is a library of another version, or does a reader draw numbers of its "
                f"own? Train without --resume to start from the beginning."
            ) from error
        for _, pipe in self.nlp.pipeline:
            if hasattr(pipe, "watch"):
                pipe.watch.step = info["step"] + 1
        restart_cupy(info["step"])
        RandomState.from_json(past.state["random"]).restore()

    def _restore_features(self, past: Stored) -> None:
        by_text: Dict[Tuple[str, str], Dict[int, Tensor]] = {}
        for name, tensor in past.features.items():
            place, key, number = name.rsplit("/", 2)
            by_text.setdefault((place, key), {})[int(number)] = tensor
        caches = self.trained.caches()
        for (place, key), of_text in by_text.items():
            caches[place].active = True
            caches[place].keep(bytes.fromhex(key), tuple(of_text[n] for n in sorted(of_text)))
        for place, cache in caches.items():
            cache.full = past.state["full"][place]
        self._count_features()

    def _choices(self) -> Dict[str, Any]:
        """What evaluations choose thresholds with, by component."""
        found = {name: getattr(pipe, "choice", None) for name, pipe in self.nlp.pipeline}
        return {name: choice for name, choice in found.items() if choice is not None}

    def _count_features(self) -> None:
        self.n_features = {place: len(cache.features) for place, cache in self.trained.caches().items()}


def _plain(value: Any) -> Any:
    """Scores and losses as JSON gives them back: numbers of numpy become Python's."""
    return json.loads(json.dumps(value, default=_number))


def _number(value: Any) -> Any:
    if not hasattr(value, "item"):
        raise CantStore(f"Among the scores or losses is a {type(value).__name__}, which JSON can't hold")
    return value.item()
