"""``explain`` and ``replay``: finds the pack that an alert came from, and asks the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from regtech.app.options import parse_day
from regtech.app.versions import kept_files
from regtech.errors import ContentError, InputError, UsageError

if TYPE_CHECKING:
    from regtech.rulelang.ir import Pack


@cache
def _shipped() -> dict[str, Path]:
    return _files_of(None)


def _files(rules: Path | None) -> dict[str, Path]:
    """Files of rulepacks by the id that they are named after. A folder's may come and go."""
    return _shipped() if rules is None else _files_of(rules)


def _files_of(rules: Path | None) -> dict[str, Path]:
    from regtech.rulelang.files import pack_files

    return {path.stem: path for path in pack_files(rules)}


PLANS_MAX: Final = 128
"""Packs that are kept compiled; more than a folder has, older versions included."""
_COMPILING: Final = Lock()


def _plan(pack: str, rules: Path | None, law_as_of: str | None = None, digest: str = "") -> Any:
    """The pack compiled alone, rules that are not run included; UsageError where there is none.

    ``digest``: of the version that is wanted. Where it was not kept, the present one is given.
    One at a time: who asks for what is being compiled waits for it and does not do it again.
    """
    files = _files(rules)
    if pack not in files:
        from difflib import get_close_matches

        near = get_close_matches(pack, files, 1)
        raise UsageError(
            f"the alert is of the pack {pack!r}, which is not "
            f"{'among those that ship' if rules is None else f'under {rules}'}",
            hint=f"did you mean {near[0]}?" if near else "name its folder with --rules",
        )
    present = _of_file(files[pack], law_as_of)
    if digest and not _is(present, digest):
        for path in kept_files(rules, pack):
            found = _of_file(path, law_as_of)
            if _is(found, digest):
                return found
    return present


def _is(plan: Any, digest: str) -> bool:
    return any(pack.digest == digest for pack in plan.packs)


def _of_file(path: Path, law_as_of: str | None) -> Any:
    """The plan of a file as it is now."""
    with _COMPILING:
        return _compiled(path, _state(path), law_as_of)


_State = tuple[int, int]
_read: dict[tuple[Path, _State], Sequence[Pack]] = {}
"""Files that were read together, until they are compiled."""


def _state(path: Path) -> _State:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


@lru_cache(PLANS_MAX)
def _compiled(path: Path, state: _State, law_as_of: str | None) -> Any:
    from regtech.app.detection import deciding_detectors
    from regtech.engine.plan import compile_plan
    from regtech.reference.load import Reference
    from regtech.rulelang.packs import require_packs

    day = None if law_as_of is None else parse_day(law_as_of)
    return compile_plan(
        _read.pop((path, state), ()) or require_packs(path),
        Reference.shipped(),
        include_disabled=True,
        law_as_of=day,
        detectors=deciding_detectors(),
    )


def all_packs(rules: Path | None) -> list[str]:
    """The ids of the packs of a folder, or of those that ship."""
    return sorted(_files(rules))


def make_ready(packs: Iterable[str], rules: Path | None, stopping: Callable[[], bool]) -> None:
    """Compile packs now, so that nobody waits for it; those that are not there are passed over."""
    known = _files(rules)
    wanted = [pack for pack in dict.fromkeys(packs) if pack in known]
    _read_together(rules)
    for pack in wanted:
        if stopping():
            break
        _plan(pack, rules)
    _read.clear()


def _read_together(rules: Path | None) -> None:
    """As a run reads them: packs that were checked before are at hand, a second sooner.

    Where any of them has faults, each is read by itself.
    """
    from regtech.app.keptpacks import packs_for_run
    from regtech.rulelang.files import pack_files

    try:
        states = {path: _state(path) for path in pack_files(rules)}
        for pack in packs_for_run(list(states)):
            path = Path(pack.path)
            _read[path, states[path]] = [pack]
    except (ContentError, InputError, OSError):
        _read.clear()


def _plan_of(entry: Mapping[str, Any], rules: Path | None) -> Any:
    day = entry.get("law_as_of")
    digest = str(entry.get("pack_digest") or "")
    return _plan(str(entry.get("pack")), rules, None if day is None else str(day), digest)


def explain_alert(
    entry: Mapping[str, Any],
    *,
    rules: Path | None = None,
    lang: str = "en",
    hidden: Callable[[str], bool] | None = None,
) -> str:
    """An alert in words: law, facts, arithmetic, what follows. UsageError for an unknown pack.

    ``rules``: where its pack is, in place of those that ship. ``hidden``: facts to be masked.
    """
    from regtech.sandbox.explain import explain

    return explain(entry, _plan_of(entry, rules), lang, hidden=hidden)


def replay_alert(entry: Mapping[str, Any], *, rules: Path | None = None) -> dict[str, Any]:
    """An alert decided again: ``same``, ``text``, and each difference. UsageError as above."""
    from regtech.sandbox.replay import replay

    result = replay(entry, _plan_of(entry, rules))
    return {
        "alert": result.alert,
        "rule": result.rule,
        "same": result.same,
        "outcome": result.outcome,
        "differences": [
            {"field": d.field, "alert": d.written, "decided": d.decided} for d in result.differences
        ],
        "fault": result.fault,
        "notes": list(result.notes),
        "text": result.text(),
    }
