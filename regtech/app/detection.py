"""The detectors that rules can ask, wired."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regtech.app.settings import setting
from regtech.content import content_root
from regtech.errors import NotFoundError, RegtechError
from regtech.ports.detection import Detectors, Question

if TYPE_CHECKING:
    from regtech.app.models import Models

TRIAL_LISTS = "lists"
"""Under ``mappings/names``: made-up names that the tests in packs screen against."""
TRIAL_MODELS = "trial"
"""Under ``mappings/models``: a small model, trained on simulated payments, for the same tests."""


def shipped_detectors(*, trial: bool = False, lists: str | None = None) -> Detectors:
    """What answers the functions and ``detect:`` of rules.

    Names are screened against the lists of the folder ``lists``, without it of the one that
    ``REGTECH_LISTS`` names; payments are scored by the models of ``REGTECH_MODELS``; without these
    rules that ask wait, and so do those that ask for listed addresses. ``trial``: for the tests in
    packs, against lists of made-up names and a model of simulated payments.
    """
    if trial:
        return detectors_of(*_trial(), True)
    folder = setting("REGTECH_LISTS") if lists is None else lists
    return detectors_of(folder, setting("REGTECH_MODELS"), False)


def deciding_detectors() -> Detectors:
    """What decides alerts of the past again: every rule compiles, by the lists and models that are
    set, else by those of trials, which never have the digest that an alert names."""
    lists, models = _trial()
    found = setting("REGTECH_LISTS") or lists, setting("REGTECH_MODELS") or models
    return detectors_of(*found, False)


def _trial() -> tuple[str, str]:
    mappings = content_root("mappings")
    return str(mappings / "names" / TRIAL_LISTS), str(mappings / "models" / TRIAL_MODELS)


@lru_cache(maxsize=4)  # lists that changed are let go
def detectors_of(lists: str, models: str, trial: bool = False) -> Detectors:
    """The detectors over the lists and models of two folders; "" for none. ``trial``: names bear
    the marks that tests in packs set."""
    from detectors.graph.asked import Networks
    from detectors.graph.asked_addresses import Addresses
    from detectors.ownership.asked import Ownership
    from regtech.reference.load import Reference
    from regtech.sandbox.ruletest import MARK

    currencies = Reference.shipped().currencies
    found: list[Any] = [Ownership(), Networks(currencies)]
    if lists:
        found.append(_screening(lists))
        marked = MARK if trial else ""
        found.append(
            Addresses(
                currencies, partial(_listed_addresses, lists), partial(_key, marked),
                partial(_unmarked, marked),
            )
        )  # fmt: skip
    if models:
        found.append(_anomalies(models))
    return tuple(found)


def models_asked(questions: Iterable[Question]) -> str:
    """Which versions the models of rules stand for now, and what they are; "" where none asks.

    Who has another answer is scored by other models. Nothing is read but the log of the models.
    """
    found = []
    for name, models in _models_of(questions):
        try:
            found.append("=".join((name, *models.named(name))))
        except RegtechError as error:
            found.append(f"{name}={error.code}")
    return " ".join(found)


def unfit_model(questions: Iterable[Question]) -> str:
    """The first model of rules that stands and cannot be read, or a log that cannot be; "" else."""
    from detectors.anomaly.standing import Missing

    for name, models in _models_of(questions):
        try:
            version, _ = models.named(name)
        except NotFoundError:
            continue  # nobody has promoted one: rules wait for it
        except RegtechError:
            return name
        if isinstance(models.standing(version), Missing):
            return version
    return ""


def _models_of(questions: Iterable[Question]) -> list[tuple[str, Models]]:
    """Names of models that are asked for, with the registry; nothing where none is set."""
    folder = setting("REGTECH_MODELS")
    if not folder:
        return []
    from detectors.anomaly.standing import CHAMPION
    from detectors.anomaly.wanted import PARAMETERS
    from regtech.app.models import Models

    models = Models(Path(folder))
    names = {str(q.params.get("model", CHAMPION)) for q in questions if q.asks in PARAMETERS}
    return [(name, models) for name in sorted(names)]


def _anomalies(folder: str) -> Any:
    from detectors.anomaly.asked import Anomalies
    from detectors.anomaly.reading import Codes
    from regtech.app.models import Models
    from regtech.app.paymenttable import CHANNELS
    from regtech.app.shapes import SHAPES, Shapes
    from regtech.model.fields import PARTY_KINDS

    models = Models(Path(folder))
    return Anomalies(models.standing, (SHAPES, Shapes), Codes(CHANNELS, PARTY_KINDS))


def _key(mark: str, address: str) -> str:
    """An address as it is compared; tests in packs set their mark in front of it."""
    from detectors.names.support import wallet_key

    plain = _unmarked(mark, address)
    return address[: len(address) - len(plain)] + wallet_key(plain)


def _unmarked(mark: str, address: str) -> str:
    return address.rpartition(mark)[2] if mark else address


def _listed_addresses(lists: str) -> Any:
    from detectors.names.addresses import listed_addresses
    from regtech.adapters.lists.folder import read_lists
    from regtech.app.names import FOLDER, country_words

    return listed_addresses(
        read_lists(Path(lists), country_words(content_root("mappings") / FOLDER))
    )


def _screening(lists: str) -> Any:
    from detectors.names.asked import Screening
    from regtech.app.names import hit_json
    from regtech.app.screeners import screener_of

    def described(hit: Any) -> dict[str, Any]:
        return {k: v for k, v in hit_json("", "", hit).items() if k not in ("query", "words")}

    return Screening(partial(screener_of, Path(lists)), described)
