"""Which names are one's and which are not: pairs that name screening has to get right."""

from __future__ import annotations

import random

import pytest
from rapidfuzz.distance import OSA

from detectors.names.analysis import Analyser, Kind
from detectors.names.pairs import pair_scores
from detectors.names.scoring import Model
from detectors.names.screener import THRESHOLD
from regtech.columns.jit import BOUNDSCHECK

SAME: list[tuple[str, str, Kind]] = [
    ("ABBAS, Abu", "Abu Abbas", ""),
    ("Vladimir Putin", "Владимир Путин", ""),
    ("Mohamed Ali", "محمد علي", ""),
    ("Ahmed Hassan", "أحمد حسن", ""),
    ("Abdullah", "عبد الله", ""),
    ("Xi Jinping", "习近平", ""),
    ("Kim Jong Un", "김정은", ""),
    ("Kim Jong Un", "金正恩", ""),
    ("Park Ji Sung", "박지성", ""),
    ("Yamada Taro", "山田太郎", ""),
    ("Tanaka Hanako", "田中花子", ""),
    ("Nikolaos", "Νικόλαος", ""),
    ("Moshe", "משה", ""),
    ("Somchai", "สมชาย", ""),
    ("张伟", "張偉", ""),
    ("Robert Smith", "Bob Smith", "person"),
    ("Mr. John A. Smith", "SMITH, John Andrew", "person"),
    ("Abd al-Rahman al-Sudani", "Abdulrahman Al Sudani", "person"),
    ("Ромашка ООО", "Romashka LLC", ""),
    ("Acme Trading Company Limited", "ACME TRADING CO., LTD.", ""),
    ("北京云海科技有限公司", "北京雲海科技股份有限公司", ""),
    ("Müller Maschinenbau GmbH", "Mueller Maschinenbau", "entity"),
    ("Banco Nacional de Cuba", "National Bank of Cuba", "entity"),
]
OTHER: list[tuple[str, str, Kind]] = [
    ("张伟", "张强", ""),
    ("김정은", "김정일", ""),
    ("Acme Fund II", "Acme Fund III", ""),
    ("Acme Fund 2", "Acme Fund 3", "entity"),
    ("John Smith", "Maria Garcia", "person"),
    ("Carlos Andres Mendoza", "Carlos Andres Gutierrez", "person"),
    ("Ali Hassan bin Omar", "Omar bin Ali Hassan", "person"),
    ("Acme Bank of Chile", "Acme Bank of Cuba", "entity"),
    ("Ivan Petrov Jr", "Ivan Petrov Sr", "person"),
    ("上海云海科技有限公司", "北京云海科技有限公司", ""),
    ("!!!", "???", ""),
    ("", "Ivan Petrov", ""),
]


@pytest.mark.parametrize(("left", "right", "kind"), SAME)
def test_one_person_or_company(
    analyser: Analyser, model: Model, left: str, right: str, kind: Kind
) -> None:
    assert pair_scores(analyser, model, [left], [right], [kind])[0] >= 0.5


@pytest.mark.parametrize(("left", "right", "kind"), OTHER)
def test_two_persons_or_companies(
    analyser: Analyser, model: Model, left: str, right: str, kind: Kind
) -> None:
    assert pair_scores(analyser, model, [left], [right], [kind])[0] < 0.5


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Chongbong Shipping Co Ltd", "Huaxin Shipping Hongkong Ltd"),
        ("Al-Haramein Foundation", "Al Rahman Welfare Foundation"),
    ],
)
def test_one_business_and_one_form_are_no_hit(
    analyser: Analyser, model: Model, left: str, right: str
) -> None:
    """Where the words that are a name are half alike at most."""
    assert pair_scores(analyser, model, [left], [right], ["entity"])[0] < THRESHOLD


def test_sides_may_be_exchanged(analyser: Analyser, model: Model) -> None:
    left = [pair[0] for pair in SAME + OTHER]
    right = [pair[1] for pair in SAME + OTHER]
    one = pair_scores(analyser, model, left, right)
    other = pair_scores(analyser, model, right, left)
    assert abs(one - other).max() < 0.25 and ((one >= 0.5) == (other >= 0.5)).all()


def test_company_forms_are_told_apart_and_from_names(analyser: Analyser) -> None:
    def forms(text: str) -> tuple[list[str], int]:
        found = analyser.analyse(text)[0]
        return found.words, found.forms

    limited = forms("Romashka LLC")
    assert limited[0] == ["romashka"] and limited[1] == forms("ООО «Ромашка»")[1] != 0
    assert forms("Romashka Ltd.") == limited
    assert forms("Romashka JSC")[1] not in (0, limited[1])
    assert forms("AB Volvo")[0] == ["volvo"]
    assert analyser.analyse("Sa Ad Limited", "person")[0].forms == 0
    # Romanised in another way than any that is listed.
    for text in (
        "Obschestvo s Ogranichennoy Otvetstvennostiu Romashka",
        "Obshchestvo s ogranichennoi otvetstvennostiu Romashka",
        "Tavarystva z Abmezhavanay Adkaznastsiu Romashka",
    ):
        assert forms(text) == limited
    assert forms("Respublikanskoye Unitarnoye Predpriyatie Tsentr")[0] == ["tsentr"]
    # Two letters before a name are seldom a form: a son in Tuareg, a family name in Korean.
    assert forms("Ag Moussa Bah") == (["ag", "moussa", "bah"], 0)
    assert forms("Kim Se Gon") == (["kim", "se", "gon"], 0)


@pytest.mark.parametrize(
    ("near", "far"),
    [
        # Forms of one given name: the more letters they share the nearer.
        (("Alexander Petrov", "Aleksandar Petrov"), ("Ivan Petrov", "John Petrov")),
        # The same consonants: nearer with the same vowels than with other letters throughout.
        (("Djan Petrov", "Jan Petrov"), ("Brown Petrov", "Varon Petrov")),
        # A slip in a small word, and another word.
        (
            ("Mahfouz Olud Walid", "Mahfouz Ould Walid"),
            ("Mahfouz Omar Walid", "Mahfouz Ould Walid"),
        ),
    ],
)
def test_what_is_nearer(
    analyser: Analyser, model: Model, near: tuple[str, str], far: tuple[str, str]
) -> None:
    left, right = zip(near, far, strict=True)
    first, second = pair_scores(analyser, model, left, right)
    assert first > second


@pytest.mark.skipif(BOUNDSCHECK, reason="the kernel is compared for its answers")
def test_the_distance_is_rapidfuzz_where_every_letter_costs_the_same() -> None:
    import numpy as np

    from detectors.names import kernels

    draw = random.Random(4)
    # Letters without likely slips between them: every change costs the same.
    letters = "rnsk"
    rows = np.zeros((3, 40), np.int32)
    for _ in range(300):
        a = "".join(draw.choice(letters) for _ in range(draw.randrange(1, 9)))
        b = "".join(draw.choice(letters) for _ in range(draw.randrange(1, 9)))
        if any(x == y for w in (a, b) for x, y in zip(w, w[1:], strict=False)):
            continue  # doubled letters are cheap

        def codes(word: str) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
            return np.array([[ord(c) - 96 for c in word]], np.uint8)

        found = kernels.spelling_cost(codes(a), 0, len(a), codes(b), 0, len(b), 999, rows)
        # An exchange of neighbours costs 7 where RapidFuzz counts 1.
        exact = OSA.distance(a, b)
        assert 7 * exact <= found <= 10 * exact


@pytest.mark.skipif(BOUNDSCHECK, reason="the kernel is compared for its answers")
def test_a_limit_only_cuts_the_distance_off() -> None:
    """Words that cannot stay below the limit are refused unread, and no others."""
    import numpy as np

    from detectors.names import kernels

    draw = random.Random(8)
    rows = np.zeros((3, 40), np.int32)

    def codes(word: str) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
        return np.array([[ord(c) - 96 for c in word]], np.uint8)

    refused = 0
    for _ in range(2000):
        a = "".join(draw.choice("aeiouhkmnrsytlwd") for _ in range(draw.randrange(1, 10)))
        b = "".join(draw.choice((c, c, c + c, "", draw.choice("aeknzvxw"))) for c in a) or "a"
        whole = kernels.spelling_cost(codes(a), 0, len(a), codes(b), 0, len(b), 999, rows)
        for most in (5, 14, 26):
            found = kernels.spelling_cost(codes(a), 0, len(a), codes(b), 0, len(b), most, rows)
            assert found == min(whole, most + 1), (a, b, most)
            refused += found > most
    assert 500 < refused < 5500
