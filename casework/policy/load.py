"""Loads policy files: from YAML to a compiled set, with every fault of all files at once.

More than 500 lines: whatever a policy may say is read in the order in which it is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from casework.cases.themes import Point, Theme
from casework.policy.faults import Faults
from casework.policy.lengths import DAY_US
from casework.policy.matcher import PATTERNS_MAX
from casework.policy.model import (
    EXTRA_KEYS,
    MAIN_KEYS,
    PRIORITIES,
    Action,
    Brake,
    Branch,
    Count,
    OpenCase,
    Pattern,
    Policy,
    PolicySet,
    PolicyTest,
    Snooze,
    Suppress,
    ThemePatterns,
)
from casework.policy.patterns import Known, PatternReader
from casework.policy.reading import VERSION, NodeReader
from casework.policy.testcases import check_tests, read_test
from regtech.content import content_root
from regtech.content.faults import Fault, Mark
from regtech.content.saying import as_said, say
from regtech.content.yamlmarks import Document, Mapping, Node, Scalar, load, load_file
from regtech.content.yamlmarks import Sequence as Sequence_
from regtech.errors import ContentError, InputError

SET_KEYS: Final = ("set", "version", "title", "themes", "policies")
THEME_REQUIRED: Final = ("id", "title", "alerts")
THEME_KEYS: Final = (*THEME_REQUIRED, "secret", "points")
POINT_KEYS: Final = ("id", "title", "required")
FORMS: Final = ("on", "any", "all")
ACTIONS: Final = ("case", "suppress", "snooze", "brake")
POLICY_KEYS: Final = (
    "id",
    "title",
    "order",
    *FORMS,
    "same",
    "within",
    "count",
    "absent",
    *ACTIONS,
    "tests",
)
CASE_KEYS: Final = ("queue", "theme", "priority", "merge", "sla", "due")
COUNT_KEYS: Final = ("at_least", "distinct")
BRAKE_KEYS: Final = ("above", "over", "at_least")
ORDER_MAX: Final = 1000


def policy_files(paths: Iterable[Path] | None = None) -> list[Path]:
    """Policy files under the given files and folders (default: those shipped), in order.

    Raises ``InputError`` for a path that does not exist.
    """
    found: dict[Path, None] = {}
    for path in [content_root("policies")] if paths is None else paths:
        if path.is_dir():
            files = sorted(item for end in ("*.yml", "*.yaml") for item in path.rglob(end))
            found.update(dict.fromkeys(files))
        elif path.is_file():
            found[path] = None
        else:
            raise InputError(say("%(path)s: no such file or folder", path=path))
    return list(found)


def load_policies(
    paths: Iterable[Path] | None = None, known: Known | None = None
) -> tuple[PolicySet, list[Fault]]:
    """Reads and checks every file; faults are in order of file and place.

    A policy with faults of its own is left out. Nothing is raised for what is in a file. ``known``:
    names of rules and the like that exist; None leaves them unchecked.
    """
    faults = Faults()
    documents: list[tuple[Document, str | None]] = []
    for path in policy_files(paths):
        try:
            documents.append((load_file(path), path.stem))
        except InputError as error:
            faults.add("PL001", as_said(error.message), Mark(str(path), 1, 1))
    return _compile(documents, known or Known.nothing(), faults), faults.ordered()


def load_text(
    text: str, file: str = "<text>", known: Known | None = None
) -> tuple[PolicySet, list[Fault]]:
    """One file from text, for editors and tests; its name is not compared with the set's id."""
    faults = Faults()
    policies = _compile([(load(text, file), None)], known or Known.nothing(), faults)
    return policies, faults.ordered()


def require_policies(paths: Iterable[Path] | None = None, known: Known | None = None) -> PolicySet:
    """Policies that must be free of errors; raises ``ContentError`` with every fault otherwise."""
    policies, faults = load_policies(paths, known)
    errors = [fault for fault in faults if fault.severity == "error"]
    if errors:
        more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
        raise ContentError(
            say("%(errors)s%(more)s", errors=errors[0], more=more),
            errors,
            hint=say("regtech policies lint shows them all"),
        )
    return policies


def _compile(
    documents: Sequence[tuple[Document, str | None]], known: Known, faults: Faults
) -> PolicySet:
    files = []
    themes: list[ThemePatterns] = []
    for document, stem in documents:
        reader = NodeReader(document, faults)
        reader.problems()
        mapping = _head(reader, stem)
        if mapping is not None:
            files.append((reader, mapping))
            for item in reader.sequence(mapping.entries.get("themes"), "themes"):
                theme = _theme(reader, item, known)
                if theme is not None:
                    themes.append(theme)
    _unique([(theme.id, theme.mark) for theme in themes], "theme", faults)
    names = _theme_names([mapping for _, mapping in files])
    policies = []
    for reader, mapping in files:
        version = reader.string(mapping.entries.get("version"), "version") or "0.0.0"
        for item in reader.sequence(mapping.entries.get("policies"), "policies"):
            policy = _PolicyReader(reader, known, names, version).policy(item)
            if policy is not None:
                policies.append(policy)
    _unique([(policy.id, policy.mark) for policy in policies], "policy", faults)
    found = PolicySet.of(policies, themes)
    if policies:
        _check_reach(found, faults)
    return found


def _head(reader: NodeReader, stem: str | None) -> Mapping | None:
    root = reader.document.root
    if root is None:
        if not reader.document.problems:
            reader.faults.add("PL102", say("the file is empty"), Mark(reader.document.file, 1, 1))
        return None
    mapping = reader.mapping(root, say("a policy file"))
    if mapping is None:
        return None
    reader.keys(mapping, SET_KEYS, ("set", "version", "title"), say("a policy file"))
    identity = reader.identifier(mapping.entries.get("set"), say("the id of a set"))
    if stem is not None and identity is not None and stem != identity:
        node = mapping.entries["set"]
        reader.fault(
            "PL106",
            say("the set %(identity)r is in the file %(stem)r", identity=identity, stem=stem),
            node,
        )
    version = reader.string(mapping.entries.get("version"), "version")
    if version is not None and not VERSION.match(version):
        reader.fault("PL106", say("a version is like 1.0.0"), mapping.entries["version"])
    reader.texts(mapping.entries.get("title"), "title")
    if "themes" not in mapping.entries and "policies" not in mapping.entries:
        reader.fault("PL102", say("a policy file has `policies` or `themes`"), mapping)
    return mapping


def _theme(reader: NodeReader, node: Node, known: Known) -> ThemePatterns | None:
    mapping = reader.mapping(node, say("a theme"))
    if mapping is None:
        return None
    before = reader.faults.errors
    reader.keys(mapping, THEME_KEYS, THEME_REQUIRED, say("a theme"))
    identity = reader.identifier(mapping.entries.get("id"), say("the id of a theme"))
    title = reader.texts(mapping.entries.get("title"), "title")
    patterns = PatternReader(reader, known, None)
    found = [
        patterns.pattern(item, "a pattern of a theme")
        for item in reader.sequence(mapping.entries.get("alerts"), "alerts")
    ]
    points = [
        _point(reader, item) for item in reader.sequence(mapping.entries.get("points"), "points")
    ]
    secret = None
    if "secret" in mapping.entries:
        secret = reader.flag(mapping.entries["secret"], "secret")
    if reader.faults.errors != before or identity is None:
        return None
    kept = tuple(pattern for pattern in found if pattern is not None)
    theme = Theme(identity, title or {}, tuple(p for p in points if p), secret or False)
    return ThemePatterns(theme, kept, reader.mark(node))


def _point(reader: NodeReader, node: Node) -> Point | None:
    mapping = reader.mapping(node, say("a point"))
    if mapping is None:
        return None
    reader.keys(mapping, POINT_KEYS, ("id", "title"), say("a point"))
    identity = reader.identifier(mapping.entries.get("id"), say("the id of a point"))
    title = reader.texts(mapping.entries.get("title"), "title")
    required = None
    if "required" in mapping.entries:
        required = reader.flag(mapping.entries["required"], "required")
    return Point(identity, title, required or False) if identity and title else None


def _theme_names(mappings: Sequence[Mapping]) -> tuple[str, ...]:
    """Ids of all themes, also of those with faults: policies may name them all the same."""
    found: dict[str, None] = {}
    for mapping in mappings:
        themes = mapping.entries.get("themes")
        for item in themes.items if isinstance(themes, Sequence_) else ():
            identity = item.entries.get("id") if isinstance(item, Mapping) else None
            if isinstance(identity, Scalar):
                found[identity.text] = None
    return tuple(found)


def _unique(items: Sequence[tuple[str, Mark]], what: str, faults: Faults) -> None:
    first: dict[str, Mark] = {}
    for identity, mark in items:
        if identity in first:
            faults.add(
                "PL110",
                say(
                    "the %(what)s %(identity)r is at %(first)s already",
                    what=what,
                    identity=identity,
                    first=first[identity],
                ),
                mark,
            )
        first.setdefault(identity, mark)


def _check_reach(policies: PolicySet, faults: Faults) -> None:
    """The last policy takes what is left, and none stands behind one that takes all."""
    taker: Policy | None = None
    for policy in policies.policies:
        if taker is not None:
            message = say(
                "%(policy)r stands behind %(taker)r, which takes every alert",
                policy=policy.id,
                taker=taker.id,
            )
            faults.add("PL502", message, policy.mark)
        elif _takes_all(policy):
            taker = policy
    if taker is None:
        message = say("no policy takes every alert that is left")
        faults.add("PL501", message, policies.policies[-1].mark)


def _takes_all(policy: Policy) -> bool:
    """Every alert with a subject; those without one are what ``unsorted`` is for."""
    alone = policy.count is None and policy.absent is None
    plain = isinstance(policy.action, OpenCase | Suppress)
    certain = set(policy.same) <= {"subject", "theme", "jurisdiction", "rule"}
    taken = any(len(branch) == 1 and branch[0].is_any for branch in policy.branches)
    return alone and plain and certain and taken


class _PolicyReader:
    """Reads the policies of one file."""

    def __init__(
        self, reader: NodeReader, known: Known, themes: tuple[str, ...], version: str
    ) -> None:
        self.reader = reader
        self.themes = themes
        self.version = version
        self.patterns = PatternReader(reader, known, themes)

    def policy(self, node: Node) -> Policy | None:
        reader = self.reader
        mapping = reader.mapping(node, say("a policy"))
        if mapping is None:
            return None
        before = reader.faults.errors
        entries = mapping.entries
        reader.keys(mapping, POLICY_KEYS, ("id", "title", "order"), say("a policy"))
        identity = reader.identifier(entries.get("id"), say("the id of a policy"))
        title = reader.texts(entries.get("title"), "title")
        order = reader.integer(entries.get("order"), "order", 0, ORDER_MAX)
        branches = self._form(mapping)
        same = self._same(entries.get("same"))
        within = reader.window(entries.get("within"), "within") or 0
        count = self._count(entries.get("count"))
        absent = self.patterns.pattern(entries.get("absent"), "absent")
        action = self._action(mapping, within, same)
        if action is not None and branches:
            self._fits(mapping, branches, same, action)
        tests: list[PolicyTest] = []
        for item in reader.sequence(entries.get("tests"), "tests"):
            test = read_test(reader, item)
            if test is not None:
                tests.append(test)
        if reader.faults.errors == before:
            check_tests(reader, tests, mapping)
        if reader.faults.errors != before or identity is None or action is None:
            return None
        return Policy(
            id=identity,
            version=self.version,
            title=title or {},
            order=order or 0,
            same=same,
            within=within,
            branches=branches,
            count=count,
            absent=absent,
            action=action,
            mark=reader.mark(node),
            tests=tuple(tests),
        )

    # --- what it is about ----------------------------------------------------------------------

    def _form(self, mapping: Mapping) -> tuple[Branch, ...]:
        given = [name for name in FORMS if name in mapping.entries]
        if len(given) != 1:
            message = say(
                "a policy has one of %(forms)s, not %(given)s",
                forms=", ".join(FORMS),
                given=" and ".join(given) or "none",
            )
            where = mapping.keys[given[1]] if given else mapping
            self.reader.fault("PL111" if given else "PL102", message, where)
            return ()
        node = mapping.entries[given[0]]
        if given[0] == "on":
            pattern = self.patterns.pattern(node, "on")
            return ((pattern,),) if pattern is not None else ()
        if given[0] == "all":
            branch = self._all(node)
            return (branch,) if branch else ()
        branches = []
        for item in self.reader.sequence(node, "any"):
            if isinstance(item, Mapping) and "all" in item.entries:
                self.reader.keys(item, ("all",), (), "a branch")
                branch = self._all(item.entries["all"])
            else:
                pattern = self.patterns.pattern(item, "a pattern of any")
                branch = (pattern,) if pattern is not None else ()
            if branch:
                branches.append(branch)
        return tuple(branches)

    def _all(self, node: Node) -> Branch:
        items = self.reader.sequence(node, "all")
        if not 2 <= len(items) <= PATTERNS_MAX:
            message = say(
                "`all` has 2 to %(patterns_max)s patterns, not %(items)s",
                patterns_max=PATTERNS_MAX,
                items=len(items),
            )
            self.reader.fault("PL203", message, node, say("one pattern is `on`"))
        found: list[Pattern] = []
        for item in items:
            pattern = self.patterns.pattern(item, "a pattern of all")
            if pattern is not None:
                found.append(pattern)
        return tuple(found)

    def _same(self, node: Node | None) -> tuple[str, ...]:
        allowed = (*MAIN_KEYS, *EXTRA_KEYS)
        found: list[str] = []
        for item in self.reader.sequence(node, "same"):
            word = self.reader.word(item, "key", allowed)
            if word is None:
                continue
            if word in found:
                self.reader.fault("PL111", say("`same` names %(word)r twice", word=word), item)
            found.append(word)
        # The main key leads: it is the one that alerts are loaded by.
        return tuple(sorted(found, key=lambda word: word not in MAIN_KEYS))

    def _count(self, node: Node | None) -> Count | None:
        if node is None:
            return None
        if not isinstance(node, Mapping):
            least = self.reader.integer(node, "count", 2, 1_000_000)
            return Count(least) if least is not None else None
        self.reader.keys(node, COUNT_KEYS, ("at_least",), "count")
        least = self.reader.integer(node.entries.get("at_least"), "at_least", 2, 1_000_000)
        words = (*MAIN_KEYS, *EXTRA_KEYS)
        distinct = self.reader.word(node.entries.get("distinct"), "key", words)
        return Count(least, distinct) if least is not None else None

    # --- what it does --------------------------------------------------------------------------

    def _action(self, mapping: Mapping, within: int, same: tuple[str, ...]) -> Action | None:
        given = [name for name in ACTIONS if name in mapping.entries]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            message = say(
                "a policy has one of %(actions)s, not %(found)s",
                actions=", ".join(ACTIONS),
                found=found,
            )
            where = mapping.keys[given[1]] if given else mapping
            self.reader.fault("PL111" if given else "PL102", message, where)
            return None
        name = given[0]
        node = self.reader.mapping(mapping.entries[name], name)
        if node is None:
            return None
        match name:
            case "case":
                return self._case(node, within, same)
            case "suppress":
                self.reader.keys(node, ("reason",), ("reason",), name)
                reason = self.reader.texts(node.entries.get("reason"), "reason")
                return Suppress(reason) if reason is not None else None
            case "snooze":
                self.reader.keys(node, ("for",), ("for",), name)
                length = self.reader.window(node.entries.get("for"), "for")
                return Snooze(length) if length is not None else None
            case _:
                return self._brake(node)

    def _case(self, node: Mapping, within: int, same: tuple[str, ...]) -> OpenCase | None:
        reader, entries = self.reader, node.entries
        reader.keys(node, CASE_KEYS, ("queue", "theme", "priority"), "case")
        queue = reader.identifier(entries.get("queue"), "queue")
        theme = reader.word(entries.get("theme"), "theme", ("alert", *self.themes), "PL301")
        priority = reader.word(entries.get("priority"), "priority", ("severity", *PRIORITIES))
        merge = reader.window(entries.get("merge"), "merge", ever=True)
        sla = reader.length(entries.get("sla"), "sla")
        due = reader.word(entries.get("due"), "due", ("alert",))
        if merge is not None and merge < within:
            message = say("`merge` is at least as long as `within`, or a match would be torn apart")
            reader.fault("PL111", message, entries["merge"])
        if theme == "alert" and "theme" not in same:
            hint = say("same: [subject, theme]")
            reader.fault(
                "PL111", say("`theme: alert` needs `theme` in `same`"), entries["theme"], hint
            )
        if sla is None and due is None:
            reader.fault("PL102", say("case needs `sla`, or `due: alert`"), node)
        if queue is None or theme is None or priority is None:
            return None
        return OpenCase(
            queue=queue,
            theme=theme,
            priority=priority,
            merge=within if merge is None else merge,
            sla=sla,
            due_of_alert=due is not None,
        )

    def _brake(self, node: Mapping) -> Brake | None:
        reader, entries = self.reader, node.entries
        reader.keys(node, BRAKE_KEYS, BRAKE_KEYS, "brake")
        above = reader.share(entries.get("above"), "above")
        over = reader.window(entries.get("over"), "over")
        least = reader.integer(entries.get("at_least"), "at_least", 1, 1_000_000_000)
        if above is None or over is None or least is None:
            return None
        return Brake(above, over, least)

    # --- what goes together --------------------------------------------------------------------

    def _fits(
        self,
        mapping: Mapping,
        branches: tuple[Branch, ...],
        same: tuple[str, ...],
        action: Action,
    ) -> None:
        reader, entries = self.reader, mapping.entries
        joined = any(len(branch) > 1 for branch in branches)
        mains = [word for word in same if word in MAIN_KEYS]
        where = entries.get("same", mapping)

        def needs(key: str, because: str) -> None:
            if key not in entries:
                reader.fault(
                    "PL111", say("%(because)s needs `%(key)s`", because=because, key=key), mapping
                )

        def excludes(keys: Iterable[str], because: str) -> None:
            for key in keys:
                if key in entries:
                    reader.fault(
                        "PL111",
                        say("%(because)s has no `%(key)s`", because=because, key=key),
                        mapping.keys[key],
                    )

        if joined:
            needs("within", "`all`")
            excludes(("count", "absent"), "`all`")
        if "count" in entries and "absent" in entries:
            reader.fault(
                "PL111", say("`count` and `absent` exclude each other"), mapping.keys["absent"]
            )
        for key in ("count", "absent"):
            if key in entries:
                needs("within", f"`{key}`")
        if "within" in entries and not joined and not {"count", "absent"} & set(entries):
            message = say("`within` belongs to `all`, `count` or `absent`")
            reader.fault("PL111", message, mapping.keys["within"])
        match action:
            case OpenCase() | Snooze():
                name = "case" if isinstance(action, OpenCase) else "snooze"
                needs("same", f"`{name}`")
                if same and len(mains) != 1:
                    message = say(
                        "`same` has exactly one of %(main_keys)s", main_keys=", ".join(MAIN_KEYS)
                    )
                    reader.fault("PL111", message, where)
                if isinstance(action, Snooze):
                    excludes(("count", "absent", "within"), "`snooze`")
                    self._plain(branches, mapping, name)
            case Suppress():
                excludes(("count", "absent", "within", "same"), "`suppress`")
                self._plain(branches, mapping, "suppress")
            case Brake():
                excludes(("count", "absent", "within"), "`brake`")
                self._plain(branches, mapping, "brake")
                if set(same) not in ({"rule"}, {"rule", "institution"}):
                    message = say(
                        "a brake is for the same rule: `same: rule`, or [institution, rule]"
                    )
                    reader.fault("PL111", message, where)
                self._can_tell(mapping, branches, same, action)

    def _can_tell(
        self, mapping: Mapping, branches: tuple[Branch, ...], same: tuple[str, ...], brake: Brake
    ) -> None:
        """Whether it is counted anywhere what the brake holds alerts against."""
        single = all(pattern.is_of_events for branch in branches for pattern in branch)
        if "institution" in same and not single:
            message = say("subjects are not counted by institution, single events are")
            self.reader.fault("PL503", message, mapping.entries.get("same", mapping))
        elif single and brake.over % DAY_US:
            message = say("events are counted by day: `over` is not whole days")
            node = mapping.entries["brake"]
            where = node.entries["over"] if isinstance(node, Mapping) else node
            self.reader.fault("PL503", message, where)

    def _plain(self, branches: tuple[Branch, ...], mapping: Mapping, name: str) -> None:
        if any(len(branch) > 1 for branch in branches):
            key = mapping.keys.get("all") or mapping.keys["any"]
            self.reader.fault(
                "PL111", say("`%(name)s` takes single alerts, not `all`", name=name), key
            )
